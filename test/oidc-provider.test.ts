import { expect } from 'chai'
import express, { type ErrorRequestHandler } from 'express'
import session from 'express-session'
import { exportJWK, generateKeyPair } from 'jose'
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

  afterEach(() => Promise.all([listener.close(), server.close()]))

  /** form_post needs https: the app is behind a proxy that ends TLS then. */
  async function start({ registered, options }: Client, responseMode: 'query' | 'form_post') {
    listener = await listen({})
    const tlsProxy = responseMode === 'form_post'
    origin = tlsProxy ? listener.origin.replace('http:', 'https:') : listener.origin
    browser = createBrowser({ tlsProxy })
    const redirectUri = `${origin}/callback`
    server = await startAuthorizationServer({ redirectUris: [redirectUri], client: registered })
    const { issuer, clientId, clientSecret } = server
    const flow = pkceFlow({
      issuer,
      clientId,
      redirectUri,
      responseMode,
      scope: 'openid profile notes:read',
      ...options(clientSecret),
    })

    errors = []
    const app = express()
    if (tlsProxy) app.set('trust proxy', 1)
    app.use(session({ secret: 'of the tests', resave: false, saveUninitialized: false }))
    app.use(flow)
    app.get('/', async (req, res) => {
      res.json({ name: (await flow.claims(req))?.name ?? null })
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
        expect(JSON.parse((await browser.open(origin)).body)).to.deep.equal({ name: 'Ada' })
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
      expect(JSON.parse((await browser.open(origin)).body)).to.deep.equal({ name: null })

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
    expect(JSON.parse((await browser.open(origin)).body)).to.deep.equal({ name: null })
  })
})
