import { auth0 } from '../../src/presets/index.ts'
import { describeOpenId } from './openid.ts'

describeOpenId('auth0', {
  preset: auth0({ domain: 'my-domain.eu.auth0.com' }),
  issuer: 'https://my-domain.eu.auth0.com/',
  scope: 'openid profile',
  asked: { scope: 'openid profile offline_access' },
  authentication: 'client_secret_post',
  tokens: {
    access_token: 'eyJz93a',
    refresh_token: 'GEbRxBN',
    id_token: '',
    token_type: 'Bearer',
    expires_in: 86_400,
  },
  kept: { scope: ['openid', 'profile', 'offline_access'], lifetime: 86_400 },
  refusals: [
    [
      {
        status: 403,
        json: { error: 'invalid_grant', error_description: 'Unknown or invalid refresh token.' },
      },
      'definitive',
    ],
  ],
})
