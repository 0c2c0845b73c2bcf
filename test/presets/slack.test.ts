import { slack } from '../../src/presets/index.ts'
import { describeOpenId } from './openid.ts'

/** Slack answers 200 to whatever it refuses. */
const refused = (error: string) => ({ status: 200, json: { ok: false, error } })

describeOpenId('slack', {
  preset: slack(),
  issuer: 'https://slack.com',
  scope: 'openid profile email',
  asked: { scope: 'openid profile email' },
  authentication: 'client_secret_post',
  tokens: { ok: true, access_token: 'xoxp-1234', token_type: 'Bearer', id_token: '' },
  kept: { scope: ['openid', 'profile', 'email'] },
  refusals: [
    [refused('invalid_refresh_token'), 'definitive'],
    [refused('token_revoked'), 'definitive'],
    [refused('bad_client_secret'), 'passing'],
    [refused('invalid_client_id'), 'passing'],
    [refused('service_unavailable'), 'passing'],
  ],
  metadata: { revocation_endpoint: undefined },
})
