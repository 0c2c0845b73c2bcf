import { keycloak } from '../../src/presets/index.ts'
import { describeOpenId } from './openid.ts'

for (const [place, issuer] of [
  [{ host: 'sso.example.com' }, 'https://sso.example.com/realms/my-realm'],
  [{ baseUrl: 'https://sso.example.com/auth/' }, 'https://sso.example.com/auth/realms/my-realm'],
] as const)
  describeOpenId(`keycloak at ${issuer}`, {
    preset: keycloak({ ...place, realm: 'my-realm' }),
    issuer,
    asked: { scope: 'openid' },
    authentication: 'client_secret_basic',
    tokens: {
      access_token: 'eyJhbGciOiJSUzI1NiJ9',
      expires_in: 300,
      refresh_expires_in: 1800,
      refresh_token: 'eyJhbGciOiJIUzUxMiJ9',
      token_type: 'Bearer',
      id_token: '',
      'not-before-policy': 0,
      session_state: 'f4c9edf6-855c-4493-9da8-d0939269d0f5',
      scope: 'openid email profile',
    },
    kept: { scope: ['openid', 'email', 'profile'], lifetime: 300 },
    refusals: [
      [
        {
          status: 400,
          json: { error: 'invalid_grant', error_description: 'Token is not active' },
        },
        'definitive',
      ],
    ],
  })
