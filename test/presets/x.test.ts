import { x } from '../../src/presets/index.ts'
import { describePlain } from './plain.ts'

const tokens = {
  token_type: 'bearer',
  expires_in: 7200,
  access_token:
    'Q0Mzb0VhZ0V5dmNXSTEyNER2MFNfVW50RzdXdTN6STFxQlVkTGhTc1lCdlBiOjE2MjIxNDc3NDM5MTQ6MToxOmF0OjE',
  scope: 'tweet.read users.read offline.access',
  refresh_token:
    'bWRWa3gzdnk3WHRGU1o0bmRRcTJ5VUxWX1lZTDdJSUtmaWcxbTVxdEFXcW5tOjE2MjIxNDc3NDM5MTQ6MToxOnJ0OjE',
}

describePlain('x', {
  preset: x(),
  scope: 'tweet.read users.read',
  asked: { scope: 'tweet.read users.read offline.access' },
  authentication: 'basic',
  tokens: { json: tokens },
  kept: {
    accessToken: tokens.access_token,
    scope: ['tweet.read', 'users.read', 'offline.access'],
    lifetime: 7200,
  },
  refresh: { answer: { json: tokens }, refreshToken: tokens.refresh_token, lifetime: 7200 },
  refusals: [
    [
      {
        status: 400,
        json: {
          error: 'invalid_request',
          error_description: 'Value passed for the token was invalid.',
        },
      },
      'definitive',
    ],
    [{ status: 400, json: { error: 'invalid_request' } }, 'passing'],
  ],
  codeRefusals: [
    [
      {
        status: 400,
        json: {
          error: 'invalid_request',
          error_description: 'Value passed for the authorization code was invalid.',
        },
      },
      'code_rejected',
    ],
  ],
  profile: {
    answer: { json: { data: { id: '2244994945', name: 'Dev', username: 'XDev' } } },
    sub: '2244994945',
  },
})
