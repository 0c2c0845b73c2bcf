import { dropbox } from '../../src/presets/index.ts'
import { describePlain } from './plain.ts'

const tokens = {
  access_token: 'sl.u.abcdefg123456',
  expires_in: 14_400,
  token_type: 'bearer',
  scope: 'account_info.read files.content.read',
  refresh_token: 'nBiM85CZALsAAAAAAAAAAQXHBoNpNutK4ngsXHsqW4iGz9tisb3JyjGqikMJIYbd',
  account_id: 'dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc',
  uid: '12345',
}

describePlain('dropbox', {
  preset: dropbox(),
  scope: 'account_info.read files.content.read',
  asked: { scope: 'account_info.read files.content.read', token_access_type: 'offline' },
  authentication: 'basic',
  tokens: { json: tokens },
  kept: {
    accessToken: tokens.access_token,
    scope: ['account_info.read', 'files.content.read'],
    lifetime: 14_400,
  },
  refresh: {
    answer: { json: { access_token: 'sl.new', token_type: 'bearer', expires_in: 14_400 } },
    refreshToken: 'old',
    lifetime: 14_400,
  },
  refusals: [
    [
      {
        status: 400,
        json: { error_description: 'refresh token is malformed', error: 'invalid_grant' },
      },
      'definitive',
    ],
  ],
  profile: {
    answer: { json: { account_id: 'dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc', locale: 'en' } },
    sub: 'dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc',
    method: 'POST',
  },
})
