import { expect } from 'chai'
import type { Preset } from '../../src/index.ts'
import { resolveOptions } from '../../src/options/settings.ts'
import { createAuthorizationServer } from '../../src/protocol/authorization-server.ts'
import { revoke } from '../../src/protocol/revocation.ts'
import { refreshTokens } from '../../src/protocol/token-refresh.ts'
import { createTransport } from '../../src/protocol/transport.ts'
import { startApp, type RunningApp } from '../support/app.ts'
import { createBrowser } from '../support/browser.ts'
import { clock } from '../support/clock.ts'
import { startPlainProvider, type Answer, type PlainProvider } from './plain-provider.ts'

/** What the documentation of a provider of plain OAuth 2.0 quotes. */
export interface QuotedPlain {
  preset: Preset
  /** The app's option. */
  scope?: string
  /** Of the authorization request, beside those that each has; `scope` as sent. */
  asked: Record<string, string>
  authentication: 'basic' | 'post'
  /** Media type of token requests. Default: a form. */
  requests?: 'json'
  /** Answer to the token request, and what is kept of it. Lifetime: seconds. */
  tokens: Answer
  kept: { accessToken: string; scope: string[]; lifetime?: number }
  /** Answer to a refresh, and what is new; `undefined` if there are no refresh tokens. */
  refresh?: { answer: Answer; refreshToken: string; lifetime?: number }
  /** Refusals of a refresh, and what they mean. */
  refusals: [Answer, 'definitive' | 'passing'][]
  /** Refusals of a code, and the error at the callback. */
  codeRefusals?: [Answer, 'code_rejected' | 'client_rejected'][]
  profile: { answer: Answer; sub: string; method?: 'POST'; headers?: Record<string, string> }
}

const client = { clientId: 'test-client', clientSecret: 'test-secret' }

/** Describes a preset by a provider that answers what its documentation quotes. */
export function describePlain(name: string, quoted: QuotedPlain): void {
  describe(`preset ${name}, against what its documentation quotes`, () => {
    const { scope = '', asked, tokens, kept, refresh, profile } = quoted
    const basic = `Basic ${Buffer.from('test-client:test-secret').toString('base64')}`
    let provider: PlainProvider
    let app: RunningApp | undefined

    beforeEach(async () => {
      provider = await startPlainProvider(quoted.preset)
      provider.answers.token_endpoint.push(tokens)
    })

    afterEach(async () => {
      clock.release()
      await app?.close()
      app = undefined
      await provider.close()
    })

    const know = () =>
      createAuthorizationServer(
        resolveOptions({
          ...client,
          server: provider.preset,
          scope,
          redirectUri: 'http://127.0.0.1/callback',
        }),
        createTransport(1_000, undefined),
      )()

    async function logIn() {
      app = await startApp({
        flow: { issuer: undefined, ...client, server: provider.preset, scope },
        routes: (express, flow) => {
          express.get('/', async (req, res) => void res.json(await flow.status(req)))
          express.get('/me', async (req, res) => void res.json(await flow.userInfo(req)))
          express.get('/token', flow.requireToken(), async (req, res) => {
            const token = await flow.token(req)
            res.json({ ...token, accessToken: token?.accessToken })
          })
        },
      })
      const browser = createBrowser()
      const page = await browser.open(app.url('/login'))
      expect(page.body).to.include('"signedIn":true')
      const get = async (path: string) =>
        JSON.parse((await browser.open(app!.url(path))).body) as Record<string, unknown>
      return { get }
    }

    function expectAuthentication({ headers, body }: PlainProvider['seen']['token_endpoint'][0]) {
      expect(headers['content-type']).to.match(
        quoted.requests === 'json' ? /^application\/json/ : /^application\/x-www-form-urlencoded/,
      )
      if (quoted.authentication === 'basic') {
        expect(headers.authorization).to.equal(basic)
        expect(body).not.to.have.property('client_secret')
      } else {
        expect(headers).not.to.have.property('authorization')
        expect(body).to.include({ client_id: client.clientId, client_secret: client.clientSecret })
      }
    }

    it('sends the authorization request', async () => {
      await logIn()
      const { query } = provider.seen.authorization_endpoint[0]!
      const usual = ['response_type', 'client_id', 'redirect_uri', 'state', 'code_challenge']
      const own = [...query].filter(([key]) => ![...usual, 'code_challenge_method'].includes(key))
      expect(Object.fromEntries(own)).to.deep.equal(asked)
      expect(query.get('code_challenge_method')).to.equal('S256')
    })

    it('sends the token request and keeps what comes', async () => {
      clock.stop()
      const { get } = await logIn()
      const request = provider.seen.token_endpoint[0]!
      expectAuthentication(request)
      expect(request.headers.accept).to.equal('application/json')
      expect(request.body).to.include({ grant_type: 'authorization_code', code: 'a-code' })
      expect(request.body.code_verifier).to.have.length(43)
      const { accessToken, lifetime } = kept
      const token = await get('/token')
      expect(token).to.deep.include({ accessToken, tokenType: 'bearer', scope: kept.scope })
      expect(token.expiresAt).to.equal(
        lifetime === undefined ? undefined : new Date(Date.now() + lifetime * 1000).toISOString(),
      )
    })

    if (refresh !== undefined)
      it('refreshes', async () => {
        provider.answers.token_endpoint[0] = refresh.answer
        clock.stop()
        const outcome = await refreshTokens(await know(), {
          ...{ clientId: client.clientId, clockTolerance: 0, idToken: undefined },
          ...{ refreshToken: 'old', scope: kept.scope },
        })
        const request = provider.seen.token_endpoint[0]!
        expectAuthentication(request)
        expect(request.body).to.include({ grant_type: 'refresh_token', refresh_token: 'old' })
        if (outcome.status !== 'refreshed') return expect.fail(outcome.error.message)
        expect(outcome.tokens.refreshToken).to.equal(refresh.refreshToken)
        const { expiresAt } = outcome.tokens
        const lifetime = expiresAt === undefined ? undefined : (expiresAt - Date.now()) / 1000
        expect(lifetime).to.equal(refresh.lifetime)
      })

    for (const [answer, status] of quoted.refusals)
      it(`takes ${answer.form ?? JSON.stringify(answer.json)} at a refresh as ${status}`, async () => {
        provider.answers.token_endpoint[0] = answer
        const outcome = await refreshTokens(await know(), {
          ...{ clientId: client.clientId, clockTolerance: 0, idToken: undefined },
          ...{ refreshToken: 'old', scope: [] },
        })
        expect(outcome.status).to.equal(status)
        const code = status === 'definitive' ? 'reauthorization_required' : /client_rejected|serv/
        if (outcome.status !== 'refreshed') expect(outcome.error.code).to.match(RegExp(code))
      })

    for (const [answer, code] of quoted.codeRefusals ?? [])
      it(`takes ${JSON.stringify(answer.json)} at the callback as ${code}`, async () => {
        provider.answers.token_endpoint[0] = answer
        app = await startApp({
          flow: { issuer: undefined, ...client, server: provider.preset, scope },
        })
        const page = await createBrowser().open(app.url('/login'))
        expect(JSON.parse(page.body)).to.include({ code })
        expect(page.body).not.to.include('secret-code')
      })

    const hasRevocation = quoted.preset.revocation_endpoint !== undefined
    it(hasRevocation ? 'revokes (RFC 7009)' : 'cannot revoke, and says so', async () => {
      const answer = { json: {} }
      provider.answers.revocation_endpoint.push(answer, answer)
      const revoked = await revoke(await know(), { accessToken: 'access', refreshToken: 'refresh' })
      expect(revoked).to.equal(hasRevocation)
      const tokens_ = provider.seen.revocation_endpoint.map(({ body }) => body.token)
      expect(tokens_).to.deep.equal(hasRevocation ? ['refresh', 'access'] : [])
      expect(quoted.preset.without?.includes('revocation') ?? false).to.equal(!hasRevocation)
    })

    it('gives the profile, the account id as sub', async () => {
      provider.answers.userinfo_endpoint.push(profile.answer)
      const { get } = await logIn()
      expect(await get('/me')).to.deep.equal({
        ...(profile.answer.json as object),
        sub: profile.sub,
      })
      const { method, headers } = provider.seen.userinfo_endpoint[0]!
      expect(method).to.equal(profile.method ?? 'GET')
      expect(headers).to.include({
        authorization: `Bearer ${kept.accessToken}`,
        'user-agent': 'express-pkce-flow',
        ...profile.headers,
      })
      if (method === 'POST') expect(headers['content-length']).to.equal('0')
    })

    it('API origins are https: ones', () => {
      for (const origin of quoted.preset.apiOrigins ?? [])
        expect(origin).to.match(/^https:\/\/[a-z.]+$/)
    })
  })
}
