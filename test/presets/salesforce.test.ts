import { salesforce } from '../../src/presets/index.ts'
import { describeOpenId } from './openid.ts'

for (const [host, issuer] of [
  [undefined, 'https://login.salesforce.com'],
  ['acme.my.salesforce.com', 'https://acme.my.salesforce.com'],
] as const)
  describeOpenId(`salesforce at ${issuer}`, {
    preset: salesforce({ host }),
    issuer,
    scope: 'openid api',
    asked: { scope: 'openid api refresh_token' },
    authentication: 'client_secret_post',
    // Without expires_in.
    tokens: {
      access_token: '00DB0000000TfcR!AQQAQFhoK8vTMg',
      refresh_token: '5Aep8614iLM.Dq661ePDmPEgaAW9',
      signature: 'CMJ4l+CCaPQiKjoOEwEig9H4wqhpuLSk4J2urAe+fVg=',
      scope: 'refresh_token openid api',
      id_token: '',
      instance_url: 'https://acme.my.salesforce.com',
      id: 'https://login.salesforce.com/id/00DB0000000TfcRMAS/005B0000005Bk90IAC',
      token_type: 'Bearer',
      issued_at: '1558553873237',
    },
    kept: { scope: ['refresh_token', 'openid', 'api'] },
    refusals: [
      [
        {
          status: 400,
          json: { error: 'invalid_grant', error_description: 'expired access/refresh token' },
        },
        'definitive',
      ],
    ],
  })
