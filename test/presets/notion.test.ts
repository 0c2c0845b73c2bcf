import { notion } from '../../src/presets/index.ts'
import { describePlain } from './plain.ts'

const tokens = {
  access_token: 'ntn_access',
  token_type: 'bearer',
  refresh_token: 'nrt_refresh',
  bot_id: '3c90c3cc-0d44-4b50-8888-8dd25736052a',
  workspace_id: '3c90c3cc-0d44-4b50-8888-8dd25736052a',
}
const person = { object: 'user', id: '5389a034-eb5c-47b5-8a9e-f79c99ef166c', type: 'person' }

describePlain('notion', {
  preset: notion(),
  asked: { owner: 'user' },
  authentication: 'basic',
  requests: 'json',
  tokens: { json: tokens },
  kept: { accessToken: 'ntn_access', scope: [] },
  refresh: { answer: { json: tokens }, refreshToken: 'nrt_refresh' },
  refusals: [[{ status: 400, json: { error: 'invalid_grant' } }, 'definitive']],
  profile: {
    answer: {
      json: {
        ...{ object: 'user', id: '16d84278-ab0e-484c-9bdd-b35da3bd8905', type: 'bot' },
        bot: { owner: { type: 'user', user: person } },
      },
    },
    sub: person.id,
    headers: { 'notion-version': '2025-09-03' },
  },
})
