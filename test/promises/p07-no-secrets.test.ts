import { fork } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { format, inspect } from 'node:util'
import { expect } from 'chai'
import type { Express, Request } from 'express'
import type { PkceFlow, Token } from '../../src/index.ts'
import type { TestAuthorizationServer } from '../../src/testing/index.ts'
import { type AppSetUp, type RunningApp, startApp } from '../support/app.ts'
import { type Browser, createBrowser, type Page } from '../support/browser.ts'
import { everythingIn } from '../support/everything-in.ts'
import { createFaultyStore, type FaultyStore, type StoreCall } from '../support/faulty-store.ts'
import { printedBy } from '../support/output.ts'
import { bindingCookies, rows, sessionId } from '../support/rows.ts'

/**
 * What an answer shows; the URL of the authorization request, the hint of a logout request and our
 * cookies belong to their receivers.
 */
function shownIn({ headers, body }: Page, { metadata }: TestAuthorizationServer): string {
  const { location = '', 'set-cookie': cookies = [], ...others } = headers
  const isLogout = location.startsWith(`${metadata.end_session_endpoint}?`)
  const place = location.startsWith(metadata.authorization_endpoint)
    ? ''
    : isLogout
      ? location.replace(/id_token_hint=[^&]*/, '')
      : location
  const foreign = cookies.filter((cookie) => !/^(connect\.sid|(__Host-)?pkce\.)/.test(cookie))
  return [body, place, ...foreign, JSON.stringify(others)].join('\n')
}

describe('P7: no secret in any URL, log, error or page', () => {
  let app: RunningApp
  let store: FaultyStore
  let browser: Browser
  let tokens: Token[]
  let bound: string[]

  function pages(express: Express, flow: PkceFlow) {
    express.get('/', async (req, res) => {
      res.json({ status: await flow.status(req), claims: await flow.claims(req) })
    })
    express.get('/guarded', flow.requireToken(), (req, res) => {
      tokens.push((req as Request & { token: Token }).token)
      res.json((req as Request & { token: Token }).token)
    })
    express.get('/members', flow.requireLogin({ claims: () => false }), (_req, res) => {
      res.json({})
    })
    express.get('/program', flow.requireToken({ unauthenticated: 'problem' }), (_req, res) => {
      res.json({})
    })
  }

  async function start(setUp: AppSetUp = {}) {
    store = createFaultyStore()
    app = await startApp({ routes: pages, store, ...setUp })
    browser = createBrowser()
    tokens = []
    bound = []
  }

  afterEach(() => app.close())

  /** Every secret that there has been so far. */
  function secrets(): string[] {
    const keys = store.calls.map(({ key }) => key).filter((key) => !key.includes('.'))
    return [...new Set([...app.server.secrets, ...keys, ...bound])].filter(Boolean)
  }

  function keepBindings() {
    for (const name of bindingCookies(browser))
      bound.push(browser.cookies.get('127.0.0.1')!.get(name)!.replace(/^.*\./, ''))
  }

  function expectNoSecret(shown: string, where: string) {
    for (const secret of secrets()) {
      const forms = [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')]
      for (const form of forms)
        expect(shown.includes(form), `${where} shows ${secret.slice(0, 6)}…: ${shown}`).to.equal(
          false,
        )
    }
  }

  /** Does the work, then looks at all that can be seen of it. */
  async function expectSilent(work: () => Promise<unknown>) {
    const printed = await printedBy(work)
    keepBindings()
    expectNoSecret(printed, 'the output')
    for (const error of app.errors) expectNoSecret(everythingIn(error), 'an error')
    for (const page of browser.pages) {
      if (!page.url.startsWith(app.origin)) continue
      const where = `the answer to ${page.url.slice(app.origin.length).replace(/\?.*/, '')}`
      expectNoSecret(shownIn(page, app.server), where)
    }
  }

  it('P7: a login, pages behind guards, a logout', async () => {
    await start()
    await expectSilent(async () => {
      await browser.open(app.url('/program'))
      await browser.open(app.url('/guarded'))
      keepBindings()
      await browser.open(app.url('/'))
      await browser.open(app.url('/members'))
      await browser.open(app.url('/logout'))
      await browser.open(app.url('/program'))
    })
    expect(tokens).to.have.length(1)
  })

  it('P7: the authorization request has state and nonce, and nothing else that is secret', async () => {
    await start()
    await browser.open(app.url('/login'))
    keepBindings()
    const { location = '' } = browser.pages[0]!.headers
    const { searchParams } = new URL(location)
    const allowed = [searchParams.get('state'), searchParams.get('nonce')]
    for (const secret of secrets())
      if (!allowed.includes(secret)) expect(location).not.to.include(secret)
  })

  it('P7: the page that continues, and a session cookie that is SameSite=Strict', async () => {
    await start({ session: { saveUninitialized: true, cookie: { sameSite: 'strict' } } })
    await expectSilent(async () => {
      await browser.open(app.url('/'))
      const callback = await browser.openUntil(app.url('/callback'), app.url('/login'))
      const cookie = browser.cookies.get('127.0.0.1')!.get('connect.sid')!
      browser.cookies.get('127.0.0.1')!.delete('connect.sid')
      const page = await browser.request(callback)
      expect(page.status).to.equal(200)
      browser.cookies.get('127.0.0.1')!.set('connect.sid', cookie)
      const next = /url=([^"]*)"/.exec(page.body)![1]!
      await browser.open(app.url(next.replaceAll('&#38;', '&')))
    })
    expect(app.server.count('token')).to.equal(1)
  })

  describe('the token', () => {
    beforeEach(async () => {
      await start()
      await browser.open(app.url('/guarded'))
    })

    const views: { title: string; of: (token: Token) => string }[] = [
      { title: 'util.inspect', of: (token) => inspect(token, { depth: Infinity }) },
      {
        title: 'util.inspect with showHidden',
        of: (token) => inspect(token, { depth: Infinity, showHidden: true }),
      },
      { title: 'util.inspect with getters', of: (token) => inspect(token, { getters: true }) },
      { title: 'JSON.stringify', of: (token) => JSON.stringify(token) },
      { title: 'a spread', of: (token) => inspect({ ...token }, { getters: true }) },
      { title: 'Object.assign', of: (token) => JSON.stringify(Object.assign({}, token)) },
      { title: 'Object.entries', of: (token) => inspect(Object.entries(token)) },
      {
        title: 'for in',
        of: (token) => {
          const values: unknown[] = []
          for (const name in token) values.push(token[name as keyof Token])
          return inspect(values)
        },
      },
      { title: 'structuredClone', of: (token) => inspect(structuredClone(token)) },
      { title: 'a template string', of: (token) => format('%s', token) },
    ]
    for (const { title, of } of views)
      it(`P7: ${title} shows no secret`, () => {
        expect(tokens[0]!.accessToken).to.be.a('string')
        expect(tokens[0]!.idToken).to.be.a('string')
        expectNoSecret(of(tokens[0]!), title)
      })

    it('P7: its claims are without nonce', () => {
      expect(tokens[0]!.claims).to.include({ sub: 'alice' }).and.not.to.have.property('nonce')
    })

    it('P7: the session holds a reference and nothing secret', async () => {
      const { sessions } = await rows(app.store)
      const content = JSON.stringify(sessions.map((row) => row.content))
      expectNoSecret(content, 'the session')
    })

    it('P7: the finished pending login holds no code, verifier, state or nonce', async () => {
      const { pending } = await rows(app.store)
      const content = JSON.stringify(pending)
      for (const secret of app.server.secrets) expect(content).not.to.include(secret)
    })
  })

  describe('an authorization server that repeats what it was told, and more', () => {
    /** Everything secret that a token response has, in places where an error could pick it up. */
    const echo = (response: Record<string, unknown>) => JSON.stringify(response)
    const echoes: { what: string; spoil: () => unknown }[] = [
      {
        what: 'an error description with the tokens',
        spoil: () =>
          app.server.misbehave('token', {
            tokenResponse: (response) => ({
              ...response,
              error: 'invalid_grant',
              error_description: echo(response),
              error_uri: `https://server.example/?${echo(response)}`,
            }),
          }),
      },
      {
        what: 'an error code that is a token',
        spoil: () =>
          app.server.misbehave('token', {
            tokenResponse: (response) => ({ error: response.access_token }),
          }),
      },
      {
        what: 'a token type that is a token',
        spoil: () =>
          app.server.misbehave('token', {
            tokenResponse: (response) => ({ ...response, token_type: response.refresh_token }),
          }),
      },
      {
        what: 'a token response in an array',
        spoil: () =>
          app.server.misbehave('token', {
            tokenResponse: (response) => [response, echo(response)],
          }),
      },
      {
        what: 'a token response that is a string',
        spoil: () => app.server.misbehave('token', { tokenResponse: echo }),
      },
      {
        what: 'a token response without access token',
        spoil: () =>
          app.server.misbehave('token', {
            tokenResponse: (response) => ({ ...response, access_token: undefined }),
          }),
      },
      {
        what: 'an access token that is an object',
        spoil: () =>
          app.server.misbehave('token', {
            tokenResponse: (response) => ({
              ...response,
              access_token: { secret: response.access_token },
            }),
          }),
      },
      {
        what: 'an ID Token that is no JWT',
        spoil: () =>
          app.server.misbehave('token', {
            tokenResponse: (response) => ({ ...response, id_token: response.access_token }),
          }),
      },
      {
        what: 'an ID Token with parts that are no JSON',
        spoil: () =>
          app.server.misbehave('token', {
            tokenResponse: (response) => ({
              ...response,
              id_token: `${String(response.access_token)}.${String(response.refresh_token)}.x`,
            }),
          }),
      },
      ...(['iss', 'aud', 'nonce', 'azp', 'sub', 'exp', 'iat'] as const).map((claim) => ({
        what: `an ID Token whose ${claim} is wrong and secret`,
        spoil: () =>
          app.server.misbehave('token', {
            idToken: { claims: (claims) => ({ ...claims, [claim]: { secret: claims.nonce } }) },
          }),
      })),
      ...(['none', 'wrong-key', 'HS256'] as const).map((sign) => ({
        what: `an ID Token signed by ${sign}`,
        spoil: () => app.server.misbehave('token', { idToken: { sign } }),
      })),
      {
        what: 'an ID Token whose key id is secret',
        spoil: () =>
          app.server.misbehave('token', {
            idToken: { header: (header) => ({ ...header, kid: 'test-client-secret' }) },
          }),
      },
      {
        what: 'an ID Token whose algorithm is secret',
        spoil: () =>
          app.server.misbehave('token', {
            idToken: { header: (header) => ({ ...header, alg: 'test-client-secret' }) },
          }),
      },
      {
        what: 'a connection that is reset in the middle of the tokens',
        spoil: () => app.server.misbehave('token', { reset: 'mid-body' }),
      },
      {
        what: 'a redirect that carries the secret on',
        spoil: () =>
          app.server.misbehave('token', {
            answer: { status: 307, headers: { location: '/elsewhere?secret=test-client-secret' } },
          }),
      },
      {
        what: 'a challenge with the secret',
        spoil: () =>
          app.server.misbehave('token', {
            answer: {
              status: 401,
              headers: { 'www-authenticate': 'Basic realm="test-client-secret"' },
              json: { error: 'invalid_client', error_description: 'test-client-secret' },
            },
          }),
      },
      {
        what: 'a Retry-After that is a secret',
        spoil: () =>
          app.server.misbehave('token', {
            answer: { status: 503, headers: { 'retry-after': 'test-client-secret' } },
          }),
      },
      {
        what: 'an authorization error that is the code',
        spoil: () =>
          app.server.misbehave('authorization', {
            authorizationResponse: (response) => response.set('error', response.get('code')!),
          }),
      },
      {
        what: 'an authorization error with description',
        spoil: () =>
          app.server.misbehave('authorization', {
            authorizationResponse: (response) => {
              response.set('error', 'server_error')
              response.set('error_description', `${response.get('code')} ${response.get('state')}`)
            },
          }),
      },
      {
        what: 'an issuer that is the code',
        spoil: () =>
          app.server.misbehave('authorization', {
            authorizationResponse: (response) => response.set('iss', response.get('code')!),
          }),
      },
      {
        what: 'an answer twice over',
        spoil: () =>
          app.server.misbehave('authorization', {
            authorizationResponse: (response) => response.append('code', response.get('code')!),
          }),
      },
      {
        what: 'an answer with the state altered',
        spoil: () =>
          app.server.misbehave('authorization', {
            authorizationResponse: (response) => response.set('state', `${response.get('state')}.`),
          }),
      },
      {
        what: 'keys that cannot be had',
        spoil: () => app.server.misbehave('jwks', { answer: { body: 'test-client-secret' } }),
      },
      {
        what: 'keys that are no keys',
        spoil: () => app.server.misbehave('jwks', { keySet: () => ({ keys: ['secret'] }) }),
      },
      {
        what: 'metadata that cannot be used',
        spoil: () =>
          app.server.misbehave('discovery', {
            metadata: (metadata) => ({ ...metadata, issuer: 'https://test-client-secret.example' }),
          }),
      },
    ]

    for (const { what, spoil } of echoes)
      it(`P7: ${what}`, async () => {
        await start()
        await expectSilent(async () => {
          spoil()
          await browser.open(app.url('/login?returnTo=/'))
        })
        expect(app.errors, 'errors').to.have.length(1)
      })
  })

  describe('a store whose errors hold the command that they are about', () => {
    /** As ioredis and pg make them. */
    function storeError(call: StoreCall): Error {
      const command = [call.operation, call.key, JSON.stringify(call.content ?? null)]
      const message = `READONLY You can't write against a replica: ${command.join(' ')}`
      const cause = Object.assign(new Error(`Failed: ${command.join('|')}`), { command })
      return Object.assign(new Error(message, { cause }), {
        command: { name: call.operation, args: command },
        detail: `Key (sid)=(${command.join(', ')}) already exists.`,
        parameters: command,
        code: 'READONLY',
      })
    }

    const failures: { what: string; which: (call: StoreCall) => boolean }[] = [
      {
        what: 'at the start',
        which: ({ operation, key }) => operation === 'set' && key.startsWith('pl.'),
      },
      {
        what: 'reading the pending login',
        which: ({ operation, key }) => operation === 'get' && key.startsWith('pl.'),
      },
      {
        what: 'writing the outcome',
        which: ({ operation, key, content }) =>
          operation === 'set' && key.startsWith('pl.') && JSON.stringify(content).includes('taken'),
      },
      {
        what: 'writing the tokens',
        which: ({ operation, key }) => operation === 'set' && key.startsWith('tr.'),
      },
      {
        what: 'writing the new session',
        which: ({ operation, key, content }) =>
          operation === 'set' && !key.includes('.') && JSON.stringify(content).includes('pkceFlow'),
      },
      {
        what: 'destroying the old session',
        which: ({ operation, key }) => operation === 'destroy' && !key.includes('.'),
      },
    ]

    for (const { what, which } of failures)
      it(`P7: ${what}`, async () => {
        await start({ session: { saveUninitialized: true } })
        await expectSilent(async () => {
          await browser.open(app.url('/'))
          store.fail(which, storeError)
          await browser.open(app.url('/login?returnTo=/'))
        })
        expect(app.errors, 'errors').to.have.length(1)
      })

    it('P7: reading the tokens, and ending the session', async () => {
      await start()
      await expectSilent(async () => {
        await browser.open(app.url('/guarded'))
        store.fail(({ key }) => key.startsWith('tr.'), storeError)
        await browser.open(app.url('/guarded'))
        await browser.open(app.url('/logout'))
      })
      expect(app.errors, 'errors').to.have.length(2)
    })
  })

  it('P7: requests that are no answers', async () => {
    await start()
    const code = 'code-that-somebody-else-got-1234567890'
    const state = 'state-that-somebody-else-made-1234567890'
    bound.push(code, state)
    await expectSilent(async () => {
      for (const query of [
        `code=${code}&state=${state}`,
        `code=${code}`,
        `state=${state}`,
        `code=${code}&state=${state}&state=${state}`,
        `error=${code}&state=${state}`,
        `response=${code}`,
        `continue=${code}`,
      ])
        await browser.open(app.url(`/callback?${query}`))
    })
    expect(app.errors).to.have.length(7)
    bound.push(code, state)
    for (const error of app.errors) expectNoSecret(everythingIn(error), 'an error')
  })

  it('P7: NODE_DEBUG and DEBUG bring no secret to light', async () => {
    const child = fork(new URL('../support/logged-logins.ts', import.meta.url), {
      silent: true,
      execArgv: ['--import', 'tsx'],
      env: { ...process.env, NODE_DEBUG: '*pkce*', DEBUG: '*pkce*', NODE_ENV: 'production' },
    })
    const output = Promise.all([text(child.stdout!), text(child.stderr!)])
    const [known] = (await once(child, 'message')) as [string[]]
    const [exitCode] = (await once(child, 'exit')) as [number]
    expect(exitCode).to.equal(0)
    expect(known.length).to.be.above(10)
    for (const printed of await output)
      for (const secret of known) expect(printed).not.to.include(secret)
    await start()
  })

  it('P7: the session id is in no page and no error', async () => {
    await start()
    await browser.open(app.url('/login?returnTo=/'))
    expect(secrets()).to.include(sessionId(browser))
  })
})
