import { expect } from 'chai'
import express, { type ErrorRequestHandler } from 'express'
import session from 'express-session'
import { decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair } from 'jose'
import { PrivateKeyJwt } from 'openid-client'
import {
  type AuthorizationServer,
  startAuthorizationServer,
} from '../example-app/authorization-server.ts'
import { listen, type LoopbackServer } from '../example-app/loopback-server.ts'
import { pkceFlow, type PkceFlowError } from '../src/index.ts'
import { type Browser, createBrowser, type Page } from './support/browser.ts'

/** A client, as it is registered at the authorization server and as the app says it. */
interface Client {
  registered: Record<string, unknown>
  options: (clientSecret: string) => Record<string, unknown>
}

const confidential: Client = {
  registered: { token_endpoint_auth_method: 'client_secret_basic' },
  options: (clientSecret) => ({ clientSecret }),
}

const clients: Record<string, Client | (() => Promise<Client>)> = {
  client_secret_basic: confidential,
  client_secret_post: {
    registered: { token_endpoint_auth_method: 'client_secret_post' },
    options: (clientSecret) => ({ clientSecret, clientAuth: 'client_secret_post' }),
  },
  none: {
    registered: { token_endpoint_auth_method: 'none', client_secret: undefined },
    options: () => ({}),
  },
  async private_key_jwt() {
    const { privateKey: key, publicKey } = await generateKeyPair('ES256')
    const kid = 'key-of-the-client'
    return {
      registered: {
        token_endpoint_auth_method: 'private_key_jwt',
        client_secret: undefined,
        jwks: { keys: [{ ...(await exportJWK(publicKey)), kid, alg: 'ES256' }] },
      },
      options: () => ({ clientAuth: PrivateKeyJwt({ key, kid }) }),
    }
  },
}

describe('The whole flow at oidc-provider', () => {
  let server: AuthorizationServer
  let listener: LoopbackServer
  let origin: string
  let browser: Browser
  let errors: PkceFlowError[]
  /** What came to the back-channel logout route, and how it was answered. */
  let logoutTokens: { token: string; status: number }[]

  afterEach(() => Promise.all([listener.close(), server.close()]))

  /** form_post needs https: the app is behind a proxy that ends TLS then. */
  async function start({ registered, options }: Client, responseMode: 'query' | 'form_post') {
    listener = await listen({})
    const tlsProxy = responseMode === 'form_post'
    origin = tlsProxy ? listener.origin.replace('http:', 'https:') : listener.origin
    browser = createBrowser({ tlsProxy })
    const redirectUri = `${origin}/callback`
    const postLogoutRedirectUri = `${origin}/logged-out`
    server = await startAuthorizationServer({
      redirectUris: [redirectUri],
      client: {
        post_logout_redirect_uris: [postLogoutRedirectUri],
        backchannel_logout_uri: `${origin}/backchannel-logout`,
        backchannel_logout_session_required: true,
        ...registered,
      },
    })
    const { issuer, clientId, clientSecret } = server
    const flow = pkceFlow({
      issuer,
      clientId,
      redirectUri,
      postLogoutRedirectUri,
      routes: { backchannelLogout: '/backchannel-logout' },
      responseMode,
      scope: 'openid profile notes:read',
      ...options(clientSecret),
    })

    errors = []
    logoutTokens = []
    const app = express()
    if (tlsProxy) app.set('trust proxy', 1)
    app.use(session({ secret: 'of the tests', resave: false, saveUninitialized: false }))
    app.use('/backchannel-logout', express.urlencoded(), (req, res, next) => {
      const { logout_token: token } = req.body as { logout_token: string }
      res.on('finish', () => logoutTokens.push({ token, status: res.statusCode }))
      next()
    })
    app.use(flow)
    app.get('/', async (req, res) => {
      const claims = await flow.claims(req)
      res.json({ name: claims?.name ?? null, sid: claims?.sid })
    })
    app.get(
      '/userinfo',
      flow.requireToken(async (req, res) => {
        const headers = { authorization: `Bearer ${req.token.accessToken}` }
        const userinfo = await fetch(`${issuer}/me`, { headers })
        res.json({ scope: req.token.scope, userinfo: await userinfo.json() })
      }),
    )
    app.use(((error: PkceFlowError, _req, res, _next) => {
      errors.push(error)
      res.status(error.status).json({ code: error.code, loginUrl: error.loginUrl })
    }) satisfies ErrorRequestHandler)
    listener.answerWith(app)
  }

  /** Who is signed in, says the app. */
  async function signedIn(): Promise<{ name: string | null; sid?: string }> {
    return JSON.parse((await browser.open(origin)).body) as { name: string | null; sid?: string }
  }

  /** Submits the form of a page, as a click on its button with `fields` does. */
  function submit(page: Page, fields: Record<string, string>): Promise<Page> {
    const action = /<form[^>]* action="([^"]+)"/.exec(page.body)?.[1] ?? ''
    return browser.open(new URL(action, page.url).href, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(fields).toString(),
    })
  }

  /** Does what the script of a form_post page does; any other page is left as it is. */
  async function postAnswer(page: Page): Promise<Page> {
    if (!page.body.includes('Submitting Callback')) return page
    const fields = page.body.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"\/>/g)
    const named = Array.from(fields, ([, name = '', value = '']) => [name, value] as const)
    return submit(page, Object.fromEntries(named))
  }

  /** Up to the consent page, at which `decision` is clicked. */
  async function logIn(page: Page, decision: 'allow' | 'refuse'): Promise<Page> {
    expect(page.body).to.include('Who are you?')
    const consent = await submit(page, { name: 'Ada' })
    expect(consent.body).to.include('Allow access?')
    return postAnswer(await submit(consent, { decision }))
  }

  for (const responseMode of ['query', 'form_post'] as const)
    for (const [method, client] of Object.entries(clients))
      it(`${method}, ${responseMode}: log in, consent, and the token works at userinfo`, async () => {
        await start(typeof client === 'function' ? await client() : client, responseMode)
        const page = await logIn(await browser.open(`${origin}/userinfo`), 'allow')
        expect(page.url).to.equal(`${origin}/userinfo`)
        const { scope, userinfo } = JSON.parse(page.body) as Record<string, object>
        expect(scope).to.deep.equal(['openid', 'profile', 'notes:read'])
        expect(userinfo).to.include({ name: 'Ada', preferred_username: 'Ada' })
        expect(await signedIn()).to.include({ name: 'Ada' })
        expect(errors).to.deep.equal([])
      })

  for (const responseMode of ['query', 'form_post'] as const)
    it(`access_denied, ${responseMode}: consent refused, then given after all`, async () => {
      await start(confidential, responseMode)
      const refused = await logIn(
        await browser.open(`${origin}/login?returnTo=/userinfo`),
        'refuse',
      )
      const { code, loginUrl } = JSON.parse(refused.body) as { code: string; loginUrl: string }
      expect({ status: refused.status, code }).to.deep.equal({ status: 403, code: 'access_denied' })
      expect(await signedIn()).to.deep.equal({ name: null })

      const page = await logIn(await browser.open(origin + loginUrl), 'allow')
      expect(page.url).to.equal(`${origin}/userinfo`)
      expect(page.body).to.include('"name":"Ada"')
    })

  it('client_rejected: a wrong client secret is ours to mend, and says nothing of it', async () => {
    const clientSecret = 'not-the-secret-that-is-registered'
    await start({ ...confidential, options: () => ({ clientSecret }) }, 'query')
    const page = await logIn(await browser.open(`${origin}/login`), 'allow')
    expect({ status: page.status, body: JSON.parse(page.body) as object }).to.deep.equal({
      status: 500,
      body: { code: 'client_rejected', loginUrl: '/login?returnTo=%2F' },
    })
    expect(await signedIn()).to.deep.equal({ name: null })
  })

  /** On the page that asks whether to log out: says yes. */
  function signOutEverywhere(page: Page): Promise<Page> {
    const xsrf = /name="xsrf" value="(\w[\w-]*)"/.exec(page.body)?.[1] ?? ''
    return submit(page, { xsrf, logout: 'yes' })
  }

  /** The one logout token that came was taken, and names the session. */
  function expectLogoutToken(sid: string | undefined) {
    expect(sid).to.be.a('string')
    expect(logoutTokens.map(({ status }) => status)).to.deep.equal([200])
    const { token } = logoutTokens[0]!
    expect(decodeProtectedHeader(token)).to.include({ typ: 'logout+jwt', alg: 'ES256' })
    const claims = decodeJwt(token)
    expect(claims).to.include({ iss: server.issuer, aud: server.clientId, sid })
    expect(claims.events).to.have.keys('http://schemas.openid.net/event/backchannel-logout')
  }

  it('RP-initiated logout: one page that asks, and back by the post logout redirect URI', async () => {
    await start(confidential, 'query')
    await logIn(await browser.open(`${origin}/login`), 'allow')
    const { sid } = await signedIn()
    const asked = await browser.open(`${origin}/logout`)
    expect(asked.url).to.include(`${server.issuer}/session/end?`)
    expect(new URL(asked.url).searchParams.has('id_token_hint')).to.equal(true)
    expect(asked.body).to.include('Sign out here as well?')
    expect(await signedIn(), 'before the answer').to.deep.equal({ name: null })

    const page = await signOutEverywhere(asked)
    expect(page.url).to.equal(`${origin}/`)
    expect(browser.pages.map(({ url }) => new URL(url).pathname)).to.include('/logged-out')
    expectLogoutToken(sid)
    const again = await browser.open(`${origin}/login`)
    expect(again.body).to.include('Who are you?').and.not.include('Ada')
    expect(errors).to.deep.equal([])
  })

  it('back-channel logout: out at the server, and the app knows nobody at its next request', async () => {
    await start(confidential, 'query')
    await logIn(await browser.open(`${origin}/login`), 'allow')
    const { sid } = await signedIn()
    const asked = await browser.open(server.issuer)
    expect(asked.body).to.include('You are signed in as Ada')
    const page = await signOutEverywhere(asked)
    expect(page.body).to.include('You are signed out')
    expectLogoutToken(sid)
    expect(await signedIn()).to.deep.equal({ name: null })
    expect(errors).to.deep.equal([])
  })
})
