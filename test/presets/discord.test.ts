import { discord } from '../../src/presets/index.ts'
import { describePlain } from './plain.ts'

const tokens = {
  access_token: '6qrZcUqja7812RVdnEKjpzOL4CvHBFG',
  token_type: 'Bearer',
  expires_in: 604_800,
  refresh_token: 'D43f5y0ahjqew82jZ4NViEr2YafMKhue',
  scope: 'identify',
}

describePlain('discord', {
  preset: discord(),
  scope: 'identify guilds.join',
  asked: { scope: 'identify guilds.join' },
  authentication: 'basic',
  tokens: { json: tokens },
  kept: { accessToken: tokens.access_token, scope: ['identify'], lifetime: 604_800 },
  refresh: { answer: { json: tokens }, refreshToken: tokens.refresh_token, lifetime: 604_800 },
  refusals: [[{ status: 400, json: { error: 'invalid_grant' } }, 'definitive']],
  profile: {
    answer: { json: { id: '80351110224678912', username: 'Nelly' } },
    sub: '80351110224678912',
  },
})
