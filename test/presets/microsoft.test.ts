import { microsoft } from '../../src/presets/index.ts'
import { describeOpenId } from './openid.ts'
import { describePlain } from './plain.ts'

const tokens = {
  access_token: 'eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIsIng1dCI6Ik5HVEZ2ZEstZnl0aEV1Q',
  token_type: 'Bearer',
  expires_in: 3599,
  refresh_token: 'AwABAAAAvPM1KaPlrEqdFSBzjqfTGAMxZGUTdM0t4B4',
}
const personalAccounts = '9188040d-6c67-4c5b-b112-36a304b66dad'

for (const [tenant, id] of [
  ['AAAABBBB-0000-cccc-1111-dddd2222eeee', 'aaaabbbb-0000-cccc-1111-dddd2222eeee'],
  ['consumers', personalAccounts],
] as const)
  describeOpenId(`microsoft, tenant ${tenant}`, {
    preset: microsoft({ tenant }),
    issuer: `https://login.microsoftonline.com/${id}/v2.0`,
    scope: 'openid User.Read',
    asked: { scope: 'openid User.Read offline_access' },
    authentication: 'client_secret_post',
    tokens: { ...tokens, scope: 'openid User.Read', id_token: '' },
    kept: { scope: ['openid', 'User.Read'], lifetime: 3599 },
    refusals: [
      [{ status: 400, json: { error: 'invalid_grant', error_codes: [70_008] } }, 'definitive'],
      [{ status: 400, json: { error: 'invalid_scope', error_codes: [70_011] } }, 'passing'],
    ],
    metadata: { revocation_endpoint: undefined },
  })

for (const tenant of ['common', 'organizations'] as const)
  describePlain(`microsoft, ${tenant}: many issuers, so without OpenID`, {
    preset: microsoft({ tenant }),
    scope: 'User.Read',
    asked: { scope: 'User.Read offline_access' },
    authentication: 'post',
    tokens: { json: { ...tokens, scope: 'User.Read' } },
    kept: { accessToken: tokens.access_token, scope: ['User.Read'], lifetime: 3599 },
    refresh: { answer: { json: tokens }, refreshToken: tokens.refresh_token, lifetime: 3599 },
    refusals: [[{ status: 400, json: { error: 'invalid_grant' } }, 'definitive']],
    profile: {
      answer: {
        json: { id: '87d349ed-44d7-43e1-9a83-5f2406dee5bd', displayName: 'Adele Vance' },
      },
      sub: '87d349ed-44d7-43e1-9a83-5f2406dee5bd',
    },
  })
