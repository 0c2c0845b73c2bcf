import { gitlab } from '../../src/presets/index.ts'
import { describeOpenId } from './openid.ts'

const tokens = {
  access_token: 'de6780bc506a0446309bd9362820ba8aed28aa506c71eedbe1c5c4f9dd350e54',
  token_type: 'bearer',
  expires_in: 7200,
  refresh_token: '8257e65c97202ed1726cf9571600918f3bffb2544b26e00a61df9897668c33a1',
  created_at: 1_607_635_748,
  id_token: '',
}

for (const [host, issuer] of [
  [undefined, 'https://gitlab.com'],
  ['gitlab.example.com', 'https://gitlab.example.com'],
] as const)
  describeOpenId(`gitlab at ${issuer}`, {
    preset: gitlab({ host }),
    issuer,
    scope: 'openid read_api',
    asked: { scope: 'openid read_api' },
    authentication: 'client_secret_basic',
    tokens,
    // Without scope: as asked for.
    kept: { scope: ['openid', 'read_api'], lifetime: 7200 },
    refusals: [[{ status: 400, json: { error: 'invalid_grant' } }, 'definitive']],
  })
