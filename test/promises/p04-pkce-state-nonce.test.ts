import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { ConfigurationError, pkceFlow } from '../../src/index.ts'
import {
  createTestAuthorizationServer,
  type TestAuthorizationServer,
  type TestAuthorizationServerOptions,
} from '../../src/testing/index.ts'
import { type AppSetUp, type RunningApp, startApp } from '../support/app.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import { changeRow, rows } from '../support/rows.ts'

const challengeOf = (verifier: string) => createHash('sha256').update(verifier).digest('base64url')

describe('P4: PKCE with S256, state and nonce are always sent and always checked', () => {
  let app: RunningApp
  let browser: Browser

  async function start(setUp: AppSetUp = {}) {
    app = await startApp(setUp)
    browser = createBrowser()
  }

  const servers: TestAuthorizationServer[] = []

  async function startServer(options: TestAuthorizationServerOptions = {}) {
    const server = await createTestAuthorizationServer(options)
    servers.push(server)
    return server
  }

  afterEach(async () => {
    await app.close()
    await Promise.all(servers.splice(0).map((server) => server.close()))
  })

  function authorizationRequests() {
    return app.server.requests.filter(({ endpoint }) => endpoint === 'authorization')
  }

  async function expectRefused(url: string, code: string) {
    const page = await browser.open(url)
    expect(JSON.parse(page.body)).to.include({ code })
    expect((await rows(app.store)).tokens, 'token records').to.have.length(0)
    expect(JSON.parse((await browser.open(app.url('/'))).body)).to.include({ sub: null })
  }

  describe('sent', () => {
    const setUps: { title: string; nonce: boolean; setUp: () => Promise<AppSetUp> }[] = [
      { title: 'by default', nonce: true, setUp: () => Promise.resolve({}) },
      {
        title: 'to a server that does not announce PKCE',
        nonce: true,
        setUp: () =>
          Promise.resolve({
            serverOptions: { metadata: { code_challenge_methods_supported: undefined } },
          }),
      },
      {
        title: 'to a server that announces more methods',
        nonce: true,
        setUp: () =>
          Promise.resolve({
            serverOptions: { metadata: { code_challenge_methods_supported: ['plain', 'S256'] } },
          }),
      },
      {
        title: 'to a server whose metadata are given by hand and announce nothing',
        nonce: true,
        async setUp() {
          const server = await startServer()
          const { issuer, authorization_endpoint, token_endpoint, jwks_uri } = server.metadata
          return {
            server,
            flow: {
              issuer: undefined,
              server: { issuer, authorization_endpoint, token_endpoint, jwks_uri },
              scope: 'openid',
            },
          }
        },
      },
      {
        title: 'to a plain OAuth 2.0 server by its root URL',
        nonce: false,
        async setUp() {
          const server = await startServer({ announceIss: false })
          return {
            server,
            flow: { issuer: undefined, server: { rootUrl: server.issuer }, scope: 'read' },
          }
        },
      },
      {
        title: 'by a confidential client of a server found by RFC 8414',
        nonce: false,
        setUp: () =>
          Promise.resolve({ serverOptions: { discovery: 'oauth' }, flow: { scope: 'read' } }),
      },
    ]

    for (const { title, nonce, setUp } of setUps)
      it(`P4: ${title}`, async () => {
        await start(await setUp())
        const page = await browser.open(app.url('/login?returnTo=/public'))
        expect(page).to.include({ status: 200, url: app.url('/public') })
        const [{ query } = { query: new URLSearchParams() }] = authorizationRequests()
        expect(query.getAll('code_challenge_method')).to.deep.equal(['S256'])
        expect(query.get('state')).to.match(/^[\w-]{43,}$/)
        if (nonce) expect(query.get('nonce')).to.match(/^[\w-]{43,}$/)
        const [exchange] = app.server.requests.filter(({ endpoint }) => endpoint === 'token')
        const verifier = exchange!.body.get('code_verifier') ?? ''
        expect(verifier).to.match(/^[\w-]{43,128}$/)
        expect(query.getAll('code_challenge')).to.deep.equal([challengeOf(verifier)])
      })

    it('P4: new ones for every login', async () => {
      await start()
      for (let times = 0; times < 5; times += 1) await browser.open(app.url('/login'))
      for (const name of ['state', 'nonce', 'code_challenge']) {
        const values = authorizationRequests().map(({ query }) => query.get(name))
        expect(new Set(values), name).to.have.property('size', 5)
      }
    })

    it('P4: state, nonce and verifier of one login have nothing in common', async () => {
      await start()
      await browser.open(app.url('/login'))
      const { query } = authorizationRequests()[0]!
      const [exchange] = app.server.requests.filter(({ endpoint }) => endpoint === 'token')
      const three = [query.get('state'), query.get('nonce'), exchange!.body.get('code_verifier')]
      expect(new Set(three)).to.have.property('size', 3)
    })
  })

  describe('checked', () => {
    beforeEach(() => start())

    const callback = (url: string) => browser.openUntil(app.url('/callback'), app.url(url))

    it('P4: an answer with another state', async () => {
      app.server.misbehave('authorization', {
        authorizationResponse: (response) => response.set('state', `${response.get('state')}x`),
      })
      await expectRefused(await callback('/login'), 'login_not_found')
      expect(app.server.count('token')).to.equal(0)
    })

    it('P4: an answer without state', async () => {
      app.server.misbehave('authorization', {
        authorizationResponse: (response) => response.delete('state'),
      })
      await expectRefused(await callback('/login'), 'invalid_callback')
      expect(app.server.count('token')).to.equal(0)
    })

    it('P4: an answer with two states, of which one is right', async () => {
      app.server.misbehave('authorization', {
        authorizationResponse: (response) => response.append('state', 'another'),
      })
      await expectRefused(await callback('/login'), 'invalid_callback')
      expect(app.server.count('token')).to.equal(0)
    })

    const nonces: { what: string; claims: (claims: Record<string, unknown>) => object }[] = [
      { what: 'another nonce', claims: (claims) => ({ ...claims, nonce: 'another' }) },
      { what: 'no nonce', claims: (claims) => ({ ...claims, nonce: undefined }) },
      { what: 'an empty nonce', claims: (claims) => ({ ...claims, nonce: '' }) },
      {
        what: 'the nonce in an array',
        claims: (claims) => ({ ...claims, nonce: [claims.nonce] }),
      },
    ]
    for (const { what, claims } of nonces)
      it(`P4: an ID Token with ${what}: the tokens are revoked`, async () => {
        app.server.misbehave('token', { idToken: { claims: claims as never } })
        await expectRefused(await callback('/login'), 'id_token_invalid')
        await app.server.received('revocation', 2)
        expect(app.server.issued[0]).to.include({ active: false, refreshable: false })
      })

    it('P4: a code of another login (injected): the server refuses the verifier', async () => {
      const other = createBrowser()
      const foreign = new URL(
        await other.openUntil(app.url('/callback'), app.url('/login')),
      ).searchParams.get('code')
      const own = new URL(await callback('/login'))
      own.searchParams.set('code', foreign!)
      await expectRefused(own.href, 'code_rejected')
    })

    for (const member of ['codeVerifier', 'nonce'])
      for (const value of [undefined, '', null])
        it(`P4: a pending login whose ${member} has become ${String(value) || 'empty'}: nothing is sent`, async () => {
          const url = await callback('/login')
          const [pending] = (await rows(app.store)).pending
          await changeRow(app.store, pending!, (content) => {
            content[member] = value
          })
          app.server.misbehave('token', {
            idToken: { claims: (claims) => ({ ...claims, nonce: value }) },
          })
          // What is not written as we write it is no login.
          await expectRefused(url, value === '' ? 'login_interrupted' : 'login_not_found')
          expect(app.server.count('token'), 'token requests').to.equal(0)
        })
  })

  describe('nothing turns it off', () => {
    it('P4: announced challenge methods without S256 are refused', async () => {
      await start({ serverOptions: { metadata: { code_challenge_methods_supported: ['plain'] } } })
      const page = await browser.open(app.url('/login'))
      expect(page.status).to.equal(502)
      expect(JSON.parse(page.body)).to.include({ code: 'invalid_server_response' })
      expect(authorizationRequests()).to.have.length(0)
    })

    it('P4: announced challenge methods that are an empty list are refused', async () => {
      await start({ serverOptions: { metadata: { code_challenge_methods_supported: [] } } })
      expect((await browser.open(app.url('/login'))).status).to.equal(502)
    })

    it('P4: challenge methods by hand cannot hide that the server has no S256', async () => {
      await start({
        serverOptions: { metadata: { code_challenge_methods_supported: ['plain'] } },
        flow: { server: { code_challenge_methods_supported: ['S256'] } },
      })
      const page = await browser.open(app.url('/login'))
      expect(page.status).to.equal(500)
      expect(JSON.parse(page.body)).to.include({ code: 'configuration' })
    })

    const protectedParameters = [
      'state',
      'nonce',
      'code_challenge',
      'code_challenge_method',
      'code_verifier',
      'response_type',
      'response_mode',
      'redirect_uri',
      'client_id',
      'scope',
      'request',
      'request_uri',
    ]
    for (const name of protectedParameters)
      it(`P4: ${name} cannot be set by authorizationParams`, async () => {
        await start()
        const options = {
          issuer: app.server.issuer,
          clientId: 'test-client',
          redirectUri: app.url('/callback'),
        }
        const authorizationParams = { [name]: 'plain' }
        expect(() => pkceFlow({ ...options, authorizationParams }))
          .to.throw(ConfigurationError)
          .with.property('message')
          .that.includes(name)
        expect(() => app.flow.login({ authorizationParams }))
          .to.throw(ConfigurationError)
          .with.property('message')
          .that.includes(name)
      })

    it('P4: an object of parameters that is changed later changes nothing', async () => {
      const authorizationParams: Record<string, string> = { prompt: 'login' }
      await start({ flow: { authorizationParams } })
      authorizationParams.state = 'fixed'
      authorizationParams.code_challenge_method = 'plain'
      await browser.open(app.url('/login'))
      const { query } = authorizationRequests()[0]!
      expect(query.get('state')).not.to.equal('fixed')
      expect(query.get('code_challenge_method')).to.equal('S256')
    })

    it('P4: query parameters of /login are none of the authorization request', async () => {
      await start()
      await browser.open(
        app.url(
          '/login?state=fixed&nonce=fixed&code_challenge_method=plain&scope=admin&prompt=none',
        ),
      )
      const { query } = authorizationRequests()[0]!
      expect([...query.values()].join(' ')).not.to.match(/fixed|plain|admin|none/)
      expect(query.get('scope')).to.equal('openid')
    })

    for (const parameter of ['state=fixed', 'nonce=fixed', 'code_challenge_method=plain'])
      it(`P4: an authorization_endpoint with ${parameter} in its query doubles no parameter`, async () => {
        const server = await startServer()
        const endpoint = `${server.metadata.authorization_endpoint}?${parameter}`
        await start({ server, flow: { server: { authorization_endpoint: endpoint } } })
        const { headers } = await browser.request(app.url('/login'))
        const sent = new URL(headers.location ?? server.origin).searchParams
        expect(sent.getAll(parameter.split('=')[0]!).length).to.be.at.most(1)
      })
  })
})
