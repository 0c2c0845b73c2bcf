import { twitch } from '../../src/presets/index.ts'
import { describeOpenId } from './openid.ts'

describeOpenId('twitch', {
  preset: twitch(),
  issuer: 'https://id.twitch.tv/oauth2',
  scope: 'openid channel:read:subscriptions channel:manage:polls',
  asked: { scope: 'openid channel:read:subscriptions channel:manage:polls' },
  authentication: 'client_secret_post',
  tokens: {
    access_token: 'rfx2uswqe8l4g1mkagrvg5tv0ks3',
    expires_in: 14_124,
    refresh_token: '5b93chm6hdve3mycz05zfzatkfdenfspp1h1ar2xxdalen01',
    id_token: '',
    scope: ['channel:manage:polls', 'channel:read:subscriptions', 'openid'],
    token_type: 'bearer',
  },
  kept: {
    scope: ['channel:manage:polls', 'channel:read:subscriptions', 'openid'],
    lifetime: 14_124,
  },
  refusals: [
    [
      {
        status: 400,
        json: { error: 'Bad Request', status: 400, message: 'Invalid refresh token' },
      },
      'definitive',
    ],
  ],
  // The preset has it.
  metadata: { revocation_endpoint: undefined },
})
