import { createHash } from 'node:crypto'
import { expect } from 'chai'
import {
  buildCodeChallenge,
  createAuthorizationSecrets,
} from '../../src/protocol/authorization-request.ts'
import type { RecordedRequest } from '../../src/testing/index.ts'
import { startApp, type RunningApp } from '../support/app.ts'
import { createBrowser } from '../support/browser.ts'
import { failLogin, logIn } from './attempt.ts'

describe('authorization request (RFC 6749 section 4.1.1)', () => {
  let app: RunningApp | undefined

  afterEach(() => app?.close())

  it('P4: the challenge of RFC 7636 appendix B', () => {
    expect(buildCodeChallenge('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')).to.equal(
      'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    )
  })

  it('P4: state, verifier and nonce have 256 bits each and survive decoding twice', () => {
    const seen = new Set<string>()
    for (let times = 0; times < 100; times += 1)
      for (const value of Object.values<string>({ ...createAuthorizationSecrets() })) {
        expect(value).to.match(/^[\w-]{43}$/)
        seen.add(value)
      }
    expect(seen.size).to.equal(300)
  })

  it('P4: what the token endpoint gets is what the challenge was made of (RFC 7636 section 4.6)', async () => {
    app = await startApp()
    await logIn(app)
    await logIn(app)
    const seen = new Set<string>()
    for (const nth of [1, 2]) {
      const { query } = await app.server.received('authorization', nth)
      const verifier = (await app.server.received('token', nth)).body.get('code_verifier')!
      const challenge = createHash('sha256').update(verifier).digest('base64url')
      expect(query.get('code_challenge')).to.equal(challenge)
      for (const name of ['state', 'nonce']) expect(query.get(name)).to.match(/^[\w-]{43}$/)
      for (const value of [verifier, query.get('state')!, query.get('nonce')!]) seen.add(value)
    }
    expect(seen.size).to.equal(6)
  })

  async function request(flow: object, path = '/login'): Promise<RecordedRequest> {
    app = await startApp({
      flow,
      routes: (routes, own) => {
        const authorizationParams = { prompt: 'login', ui_locales: 'de' }
        routes.get('/again', own.login({ authorizationParams }))
        routes.get('/', (_req, res) => {
          res.end()
        })
      },
    })
    await createBrowser().open(app.url(path))
    return app.server.received('authorization')
  }

  it('everything that the flow says, and nothing twice', async () => {
    const { query } = await request({ scope: ['openid', 'email'] })
    const names = [...query.keys()]
    expect(names).to.have.length(new Set(names).size)
    expect(Object.fromEntries(query)).to.include({
      response_type: 'code',
      client_id: 'test-client',
      redirect_uri: app!.url('/callback'),
      scope: 'openid email',
      code_challenge_method: 'S256',
    })
  })

  it('parameters of the app’s own, for all logins and for one', async () => {
    const authorizationParams = { prompt: 'consent', login_hint: 'a+b@c.example', 'x y': '&=ä' }
    expect(Object.fromEntries((await request({ authorizationParams })).query)).to.include(
      authorizationParams,
    )
    await app!.close()
    const { query } = await request({ authorizationParams }, '/again')
    expect(Object.fromEntries(query)).to.include({
      ...authorizationParams,
      prompt: 'login',
      ui_locales: 'de',
    })
  })

  it('max_age of one login is checked, too (OpenID Connect Core section 3.1.2.1)', async () => {
    app = await startApp({ flow: { authorizationParams: { max_age: '0' } } })
    app.server.misbehave('token', {
      idToken: { claims: (claims) => ({ ...claims, auth_time: undefined }) },
    })
    await failLogin(app, 'id_token_invalid')
  })

  it('nonce is sent with the scope openid, also in one word among others, and only then', async () => {
    for (const [scope, isSent] of [
      ['openid', true],
      ['email openid', true],
      ['open id', false],
      ['openid2', false],
      ['', false],
    ] as const) {
      const { query } = await request({ scope })
      expect(query.has('nonce'), scope).to.equal(isSent)
      await app?.close()
    }
    app = undefined
  })
})
