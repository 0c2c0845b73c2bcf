import { expect } from 'chai'
import type { Preset } from '../../src/index.ts'
import { resolveOptions } from '../../src/options/settings.ts'
import { createAuthorizationServer } from '../../src/protocol/authorization-server.ts'
import { revoke } from '../../src/protocol/revocation.ts'
import { refreshTokens } from '../../src/protocol/token-refresh.ts'
import { createTransport } from '../../src/protocol/transport.ts'
import {
  createTestAuthorizationServer,
  type FaultyAnswer,
  type JsonObject,
  type TestAuthorizationServer,
} from '../../src/testing/index.ts'
import { startApp, type RunningApp } from '../support/app.ts'
import { createBrowser } from '../support/browser.ts'
import { clock } from '../support/clock.ts'

/** What the documentation of an OpenID provider quotes. */
export interface QuotedOpenId {
  preset: Preset
  /** Of the preset; its metadata come from there. */
  issuer: string
  /** The app's option. Default: `'openid'`. */
  scope?: string
  /** Of the authorization request, beside those that each has; `scope` as sent. */
  asked: Record<string, string>
  authentication: 'client_secret_basic' | 'client_secret_post'
  /** Token endpoint response; tokens in it are replaced by ones that the test server knows. */
  tokens: JsonObject
  /** Lifetime: seconds. */
  kept: { scope: string[]; lifetime?: number }
  /** Refusals of a refresh, and what they mean. */
  refusals: [FaultyAnswer, 'definitive' | 'passing'][]
  /** What its metadata do not have. */
  metadata?: Record<string, undefined>
}

const client = { clientId: 'test-client', clientSecret: 'test-client-secret' }

/** Describes a preset by the test authorization server, which answers what its documentation quotes. */
export function describeOpenId(name: string, quoted: QuotedOpenId): void {
  describe(`preset ${name}, against what its documentation quotes`, () => {
    const { scope = 'openid', asked, kept } = quoted
    let server: TestAuthorizationServer
    let app: RunningApp | undefined
    let preset: Preset

    beforeEach(async () => {
      server = await createTestAuthorizationServer({
        metadata: quoted.metadata,
        clients: [{ ...client, tokenEndpointAuthMethod: quoted.authentication }],
      })
      const { revocation_endpoint } = quoted.preset
      preset = {
        ...quoted.preset,
        issuer: server.issuer,
        apiOrigins: [server.issuer],
        ...(revocation_endpoint !== undefined && {
          revocation_endpoint: `${server.issuer}/revoke`,
        }),
      }
      server.misbehave('token', {
        tokenResponse: ({ access_token, refresh_token, id_token }) => ({
          ...quoted.tokens,
          access_token,
          ...('refresh_token' in quoted.tokens && { refresh_token }),
          ...('id_token' in quoted.tokens && { id_token }),
        }),
      })
    })

    afterEach(async () => {
      clock.release()
      await app?.close()
      app = undefined
      await server.close()
    })

    const know = () =>
      createAuthorizationServer(
        resolveOptions({
          ...{ ...client, server: preset, scope, redirectUri: 'http://127.0.0.1/callback' },
        }),
        createTransport(1_000, undefined),
      )()

    async function logIn() {
      app = await startApp({
        server,
        flow: { issuer: undefined, ...client, server: preset, scope },
        routes: (express, flow) => {
          express.get('/', async (req, res) => void res.json(await flow.status(req)))
          express.get('/me', async (req, res) => void res.json(await flow.userInfo(req)))
        },
      })
      const browser = createBrowser()
      const page = await browser.open(app.url('/login'))
      expect(page.body).to.include('"signedIn":true')
      return {
        status: JSON.parse(page.body) as Record<string, unknown>,
        me: async () => JSON.parse((await browser.open(app!.url('/me'))).body) as JsonObject,
      }
    }

    it('is discovered at its issuer', () => {
      expect(quoted.preset.issuer).to.equal(quoted.issuer)
      expect(quoted.preset).not.to.have.any.keys('authorization_endpoint', 'token_endpoint')
    })

    it('sends the authorization request', async () => {
      await logIn()
      const { query } = await server.received('authorization')
      const usual = ['response_type', 'client_id', 'redirect_uri', 'state', 'nonce']
      const own = [...query].filter(
        ([key]) => ![...usual, 'code_challenge', 'code_challenge_method'].includes(key),
      )
      expect(Object.fromEntries(own)).to.deep.equal(asked)
      expect(query.get('code_challenge_method')).to.equal('S256')
    })

    it('authenticates at the token endpoint and keeps what comes', async () => {
      clock.stop()
      const { status } = await logIn()
      const { lifetime } = kept
      expect(status).to.deep.include({ connected: true, scope: kept.scope })
      expect(status.expiresAt).to.equal(
        lifetime === undefined ? undefined : new Date(Date.now() + lifetime * 1000).toISOString(),
      )
    })

    for (const [answer, status] of quoted.refusals)
      it(`takes ${JSON.stringify(answer.json)} at a refresh as ${status}`, async () => {
        server.behave()
        server.misbehave('token', { answer })
        const outcome = await refreshTokens(await know(), {
          ...{ clientId: client.clientId, clockTolerance: 0, idToken: undefined },
          ...{ refreshToken: 'old', scope: [] },
        })
        expect(outcome.status).to.equal(status)
        const { body } = await server.received('token')
        expect(Object.fromEntries(body)).to.include({
          grant_type: 'refresh_token',
          refresh_token: 'old',
        })
      })

    const cannotRevoke = quoted.preset.without?.includes('revocation') ?? false
    it(cannotRevoke ? 'cannot revoke, and says so' : 'revokes (RFC 7009)', async () => {
      const known = await know()
      expect(await revoke(known, { accessToken: 'access', refreshToken: 'refresh' })).to.equal(
        !cannotRevoke,
      )
      expect(server.count('revocation')).to.equal(cannotRevoke ? 0 : 2)
    })

    it('gives the userinfo', async () => {
      const { me } = await logIn()
      expect(await me()).to.include({ sub: 'alice' })
    })
  })
}
