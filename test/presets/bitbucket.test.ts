import { bitbucket } from '../../src/presets/index.ts'
import { describePlain } from './plain.ts'

const tokens = {
  access_token: 'my-new-token',
  scope: 'account repository',
  expires_in: 7200,
  refresh_token: 'my-refresh-token',
  token_type: 'bearer',
}

describePlain('bitbucket', {
  preset: bitbucket(),
  asked: {},
  authentication: 'basic',
  tokens: { json: tokens },
  kept: { accessToken: 'my-new-token', scope: ['account', 'repository'], lifetime: 7200 },
  refresh: { answer: { json: tokens }, refreshToken: 'my-refresh-token', lifetime: 7200 },
  refusals: [[{ status: 400, json: { error: 'invalid_grant' } }, 'definitive']],
  profile: {
    answer: { json: { type: 'user', uuid: '{a54f16da-24e9-4d7f-a3a7-b1ba2cd98aa3}' } },
    sub: '{a54f16da-24e9-4d7f-a3a7-b1ba2cd98aa3}',
  },
})
