import { zoom } from '../../src/presets/index.ts'
import { describePlain } from './plain.ts'

const tokens = {
  access_token: 'eyJhbGciOiJIUzUxMiJ9',
  token_type: 'bearer',
  refresh_token: 'eyJhbGciOiJIUzUxMiJ9.r',
  expires_in: 3599,
  scope: 'user:read:user',
}

describePlain('zoom', {
  preset: zoom(),
  asked: {},
  authentication: 'basic',
  tokens: { json: tokens },
  kept: { accessToken: tokens.access_token, scope: ['user:read:user'], lifetime: 3599 },
  refresh: { answer: { json: tokens }, refreshToken: tokens.refresh_token, lifetime: 3599 },
  refusals: [
    [{ status: 400, json: { reason: 'Invalid Token!', error: 'invalid_request' } }, 'definitive'],
    [{ status: 401, json: { reason: 'Invalid Token!', error: 'invalid_grant' } }, 'definitive'],
    [
      {
        status: 400,
        json: { reason: 'The token has been revoked.', error: 'invalid_request' },
      },
      'definitive',
    ],
    [{ status: 400, json: { reason: 'Bad Request', error: 'invalid_request' } }, 'passing'],
  ],
  codeRefusals: [
    [
      {
        status: 400,
        json: { reason: 'Invalid authorization code secret-code', error: 'invalid_request' },
      },
      'code_rejected',
    ],
    [
      { status: 401, json: { reason: 'Code is expired', error: 'invalid_request' } },
      'code_rejected',
    ],
    [
      { status: 400, json: { reason: 'Redirect URI mismatch.', error: 'invalid_request' } },
      'client_rejected',
    ],
  ],
  profile: {
    answer: { json: { id: 'KDcuGIm1QgePTO8WbOqwIQ', type: 1 } },
    sub: 'KDcuGIm1QgePTO8WbOqwIQ',
  },
})
