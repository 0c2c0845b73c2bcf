import { atlassian } from '../../src/presets/index.ts'
import { describePlain } from './plain.ts'

const tokens = {
  access_token: 'eyJraWQ',
  refresh_token: 'eyJyZWZyZXNo',
  expires_in: 3600,
  scope: 'offline_access read:jira-work read:me',
}

describePlain('atlassian', {
  preset: atlassian(),
  scope: 'read:jira-work read:me',
  asked: {
    scope: 'read:jira-work read:me offline_access',
    audience: 'api.atlassian.com',
    prompt: 'consent',
  },
  authentication: 'post',
  requests: 'json',
  // Without token_type.
  tokens: { json: tokens },
  kept: {
    accessToken: tokens.access_token,
    scope: ['offline_access', 'read:jira-work', 'read:me'],
    lifetime: 3600,
  },
  refresh: { answer: { json: tokens }, refreshToken: tokens.refresh_token, lifetime: 3600 },
  refusals: [
    [
      {
        status: 403,
        json: { error: 'invalid_grant', error_description: 'Unknown or invalid refresh token.' },
      },
      'definitive',
    ],
  ],
  profile: {
    answer: { json: { account_type: 'atlassian', account_id: 'a-1', name: 'Mia' } },
    sub: 'a-1',
  },
})
