import { github } from '../../src/presets/index.ts'
import { describePlain } from './plain.ts'

const tokens = { access_token: 'gho_16C7e42F292c6912E7710c838347Ae178B4a' }

describePlain('github, an OAuth app: JSON, comma-separated scope, no lifetime', {
  preset: github(),
  scope: 'repo gist',
  asked: { scope: 'repo gist' },
  authentication: 'post',
  tokens: { json: { ...tokens, scope: 'repo,gist', token_type: 'bearer' } },
  kept: { accessToken: tokens.access_token, scope: ['repo', 'gist'] },
  refusals: [],
  // All with status 200.
  codeRefusals: [
    [{ json: { error: 'bad_verification_code' } }, 'code_rejected'],
    [{ json: { error: 'incorrect_client_credentials' } }, 'client_rejected'],
    [{ json: { error: 'redirect_uri_mismatch' } }, 'client_rejected'],
  ],
  profile: { answer: { json: { login: 'octocat', id: 1 } }, sub: '1' },
})

describePlain('github, a GitHub App: the form that comes if Accept is ignored, refresh', {
  preset: github({ host: 'https://octo.ghe.com' }),
  asked: {},
  authentication: 'post',
  tokens: {
    form: 'access_token=ghu_16C7e42F292c6912E7710c838347Ae178B4a&expires_in=28800&refresh_token=ghr_1B4a2e77838347a7E420ce178F2E7c6912E169246c34E1ccbF66C46812d16D5B1A9Dc86A1498&refresh_token_expires_in=15811200&scope=&token_type=bearer',
  },
  kept: { accessToken: 'ghu_16C7e42F292c6912E7710c838347Ae178B4a', scope: [], lifetime: 28_800 },
  refresh: {
    answer: {
      json: {
        ...{ access_token: 'ghu_new', expires_in: 28_800, refresh_token: 'ghr_new' },
        ...{ refresh_token_expires_in: 15_811_200, scope: '', token_type: 'bearer' },
      },
    },
    refreshToken: 'ghr_new',
    lifetime: 28_800,
  },
  // Both with status 200.
  refusals: [
    [{ json: { error: 'bad_refresh_token' } }, 'definitive'],
    [{ json: { error: 'incorrect_client_credentials' } }, 'passing'],
    [{ form: 'error=bad_refresh_token' }, 'definitive'],
  ],
  profile: { answer: { json: { login: 'octocat', id: 1 } }, sub: '1' },
})
