import { google } from '../../src/presets/index.ts'
import { describeOpenId } from './openid.ts'

describeOpenId('google', {
  preset: google(),
  issuer: 'https://accounts.google.com',
  scope: 'openid https://www.googleapis.com/auth/drive.metadata.readonly',
  asked: {
    scope: 'openid https://www.googleapis.com/auth/drive.metadata.readonly',
    access_type: 'offline',
    prompt: 'consent',
  },
  authentication: 'client_secret_basic',
  tokens: {
    access_token: '1/fFAGRNJru1FTz70BzhT3Zg',
    expires_in: 3920,
    token_type: 'Bearer',
    scope: 'openid https://www.googleapis.com/auth/drive.metadata.readonly',
    refresh_token: '1//xEoDL4iW3cxlI7yDbSRFYNG01kVKM2C-259HOF2aQbI',
    id_token: '',
  },
  kept: {
    scope: ['openid', 'https://www.googleapis.com/auth/drive.metadata.readonly'],
    lifetime: 3920,
  },
  refusals: [[{ status: 400, json: { error: 'invalid_grant' } }, 'definitive']],
})
