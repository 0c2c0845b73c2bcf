import { okta } from '../../src/presets/index.ts'
import { describeOpenId } from './openid.ts'

for (const [authorizationServer, issuer] of [
  [undefined, 'https://my.okta.com'],
  ['default', 'https://my.okta.com/oauth2/default'],
] as const)
  describeOpenId(`okta at ${issuer}`, {
    preset: okta({ domain: 'my.okta.com', authorizationServer }),
    issuer,
    asked: { scope: 'openid offline_access' },
    authentication: 'client_secret_basic',
    tokens: {
      token_type: 'Bearer',
      expires_in: 3600,
      access_token: 'eyJraWQ',
      scope: 'offline_access openid',
      refresh_token: 'i6mapTIAVSp2oJkgUnCACKKfZxt_H5MBLiqcybBBd04',
      id_token: '',
    },
    kept: { scope: ['offline_access', 'openid'], lifetime: 3600 },
    refusals: [[{ status: 400, json: { error: 'invalid_grant' } }, 'definitive']],
  })
