import { spotify } from '../../src/presets/index.ts'
import { describePlain } from './plain.ts'

const tokens = {
  access_token: 'NgCXRKcMzYjw',
  token_type: 'Bearer',
  scope: 'user-read-private user-read-email',
  expires_in: 3600,
  refresh_token: 'NgAagAUmSHo',
}

describePlain('spotify', {
  preset: spotify(),
  scope: 'user-read-private user-read-email',
  asked: { scope: 'user-read-private user-read-email' },
  authentication: 'basic',
  tokens: { json: tokens },
  kept: {
    accessToken: tokens.access_token,
    scope: ['user-read-private', 'user-read-email'],
    lifetime: 3600,
  },
  // Without a new refresh token the old one goes on.
  refresh: {
    answer: { json: { access_token: 'new', token_type: 'Bearer', expires_in: 3600 } },
    refreshToken: 'old',
    lifetime: 3600,
  },
  refusals: [[{ status: 400, json: { error: 'invalid_grant' } }, 'definitive']],
  profile: { answer: { json: { id: 'smedjan', type: 'user' } }, sub: 'smedjan' },
})
