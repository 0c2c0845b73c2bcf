import { expect } from 'chai'
import { ConfigurationError, pkceFlow } from '../../src/index.ts'
import type { AppSetUp, RunningApp } from '../support/app.ts'
import { type Browser, createBrowser, type Page } from '../support/browser.ts'
import { clock } from '../support/clock.ts'
import { withoutRefreshTokens } from '../support/refresh-tokens.ts'
import { ask, browserOf, ownPage, startConnectApp, told } from './connect-app.ts'
import { json, program, startsLogin } from './steps.ts'

const client = { clientId: 'test-client', clientSecret: 'test-client-secret' }

/** What the authorization server grants: all but `admin`. */
const clients = [{ ...client, scope: 'openid email read write more' }]

const purposes: [string, AppSetUp['flow'] & object][] = [
  ['login', { purpose: 'login', userId: undefined }],
  ['connect', {}],
]

for (const [purpose, options] of purposes)
  describe(`scopes, with purpose ${purpose}`, () => {
    let app: RunningApp
    let browser: Browser

    async function start(flow: AppSetUp['flow'] = {}) {
      app = await startConnectApp({
        flow: { scope: 'openid read', ...options, ...flow },
        serverOptions: { clients },
      })
      browser = await browserOf(app, 'ann')
    }

    beforeEach(() => start())

    afterEach(async () => {
      clock.release()
      await app.close()
    })

    const open = (path: string, by = browser): Promise<Page> =>
      by.open(app.url(path), { headers: ownPage })

    /** Scope of each authorization request so far. */
    const asked = () =>
      app.server.requests
        .filter(({ endpoint }) => endpoint === 'authorization')
        .map(({ query }) => query.get('scope')!)

    const scopeNow = async () => (await told(app, browser)).scope

    for (const [kind, path] of [
      ['a string', '/more'],
      ['an array', '/more-list'],
    ] as const)
      it(`login({ scope }), ${kind}: it is asked for, and what was granted is kept`, async () => {
        await open(path)
        expect(asked()[0]!.split(' ')).to.include.members(['more', 'admin'])
        const scope = await scopeNow()
        expect(scope).to.include('more')
        expect(scope).not.to.include('admin')
        await open('/login')
        expect(asked()[1]).to.equal('openid read')
      })

    it('a scope that the token response leaves out is as it was asked for (RFC 6749 section 5.1)', async () => {
      app.server.misbehave('token', {
        tokenResponse: (usual) => ({ ...usual, scope: undefined }),
      })
      await open('/more')
      expect(await scopeNow()).to.include.members(['more', 'admin'])
    })

    it('requireToken({ scope }) lets enough scope through', async () => {
      await open('/login')
      expect(await ask(app, browser, '/scoped/read')).to.include({ at: '/scoped/read' })
      expect(asked()).to.have.length(1)
    })

    it('a person without a token is asked for all of it at once', async () => {
      const page = await open('/scoped/write')
      expect(page).to.include({ status: 200, url: app.url('/scoped/write') })
      expect(asked()).to.deep.equal(['openid read write'])
    })

    it('a person is sent to give what is missing, with what there is, and comes back', async () => {
      await open('/scoped/more')
      const page = await open('/scoped/write?x=1')
      expect(page).to.include({ status: 200, url: app.url('/scoped/write?x=1') })
      expect(asked()[1]).to.equal('openid read more write')
      expect(json(page)).to.deep.equal({
        through: ['openid', 'read', 'more', 'write'],
        at: '/scoped/write?x=1',
      })
    })

    it('P16: and stays who that is, in the app', async () => {
      await open('/login')
      await open('/scoped/write')
      expect(await told(app, browser)).to.include({ user: 'ann', sub: 'alice', connected: true })
    })

    it('a program is answered 403 insufficient_scope, as problem JSON', async () => {
      await open('/login')
      const page = await browser.request(app.url('/scoped/write'), { headers: program })
      expect(page.status).to.equal(403)
      expect(page.headers['content-type']).to.equal('application/problem+json')
      expect(json(page)).to.include({ code: 'insufficient_scope', status: 403 })
      // That route would ask for the flow's scope only, and bring this answer again.
      expect(json(page)).not.to.have.property('loginUrl')
      expect(startsLogin(app, page)).to.equal(false)
    })

    it('what is not granted after one round is 403 for a person, too', async () => {
      for (const starts of [1, 1, 1]) {
        const page = await open('/scoped/admin')
        expect(page).to.include({ status: 403, url: app.url('/scoped/admin') })
        expect(json(page)).to.include({ code: 'insufficient_scope' })
        const error = app.errors.pop()
        expect(error).to.include({ code: 'insufficient_scope' })
        expect(error).not.to.have.property('loginUrl')
        expect(asked()).to.have.length(starts)
      }
      expect(asked()).to.deep.equal(['openid read admin'])
      expect(await scopeNow()).to.deep.equal(['openid', 'read'])
    })

    it('loginUrl is there if that route asks for what is missing', async () => {
      await app.close()
      await start({ scope: 'openid read write admin' })
      await open('/login')
      for (const [path, loginUrl] of [
        ['/scoped/admin', '/login'],
        ['/scoped/both', '/login'],
        ['/scoped/more', undefined],
      ] as const) {
        const problem = await ask(app, browser, path)
        expect(problem, path).to.include({ code: 'insufficient_scope' })
        expect(problem.loginUrl, path).to.equal(loginUrl)
      }
      await open('/login')
      expect(asked()[1]).to.equal('openid read write admin')
    })

    it('one more round for each explicit login', async () => {
      await open('/scoped/admin')
      await open('/login')
      expect((await open('/scoped/admin')).status).to.equal(403)
      expect((await open('/scoped/admin')).status).to.equal(403)
      expect(asked()).to.deep.equal(['openid read admin', 'openid read', 'openid read admin'])
    })

    it('one of two missing ones was not granted: what was is kept, and no loop', async () => {
      const page = await open('/scoped/both')
      expect(page.status).to.equal(403)
      expect(asked()).to.deep.equal(['openid read write admin'])
      expect((await open('/scoped/write')).status).to.equal(200)
      expect(asked()).to.have.length(1)
    })

    it('a refresh keeps a widened scope', async () => {
      await open('/scoped/write')
      clock.advance(3_600_000)
      expect(await ask(app, browser, '/scoped/write')).to.deep.include({
        through: ['openid', 'read', 'write'],
      })
      expect(app.server.count('token')).to.equal(2)
    })

    it('a refresh remembers what was not granted', async () => {
      await open('/scoped/admin')
      clock.advance(3_600_000)
      expect((await open('/scoped/admin')).status).to.equal(403)
      expect(app.server.count('token')).to.equal(2)
      expect(asked()).to.have.length(1)
    })

    describe('with tokens that have expired and cannot be refreshed', () => {
      beforeEach(() => {
        withoutRefreshTokens(app.server)
      })

      it('a person is asked for all of it again, in one round', async () => {
        await open('/scoped/write')
        clock.advance(3_600_000)
        expect((await open('/scoped/write')).status).to.equal(200)
        expect(asked()).to.deep.equal(['openid read write', 'openid read write'])
      })

      it('what was not granted can be given with the new ones, once', async () => {
        await open('/scoped/admin')
        clock.advance(3_600_000)
        const page = await open('/scoped/admin')
        expect(json(page)).to.include({ code: 'insufficient_scope' })
        expect(asked()).to.have.length(2)
      })

      it('a program is answered 401, as without a scope', async () => {
        await open('/login')
        clock.advance(3_600_000)
        expect(await ask(app, browser, '/scoped/write')).to.include({
          code: 'reauthorization_required',
        })
      })
    })

    it('a form that a person posts: the login leads to the default place', async () => {
      await open('/login')
      const page = await browser.open(app.url('/scoped/write'), {
        method: 'POST',
        headers: ownPage,
      })
      expect(page.url).to.equal(app.url('/connected'))
      expect(await scopeNow()).to.deep.equal(['openid', 'read', 'write'])
    })

    it('nobody: a program is answered 401', async () => {
      expect(await ask(app, createBrowser(), '/scoped/write')).to.include({ status: 401 })
    })
  })

describe('scopes that are none', () => {
  const flow = pkceFlow({
    clientId: 'test-client',
    redirectUri: 'http://127.0.0.1/callback',
    server: { rootUrl: 'http://127.0.0.1' },
  })

  for (const member of ['login', 'requireToken'] as const) {
    for (const scope of [
      7,
      null,
      {},
      [7],
      [''],
      ['a b'],
      'a\tb',
      'a"b',
      ['a', undefined],
    ] as unknown[])
      it(`${member}: ${JSON.stringify(scope)} is refused`, () => {
        expect(() => flow[member]({ scope: scope as never })).to.throw(
          ConfigurationError,
          `${member}: "scope"`,
        )
      })

    it(`${member}: openid is the option's business, by which ID Tokens are checked`, () => {
      expect(() => flow[member]({ scope: 'read openid' })).to.throw(
        ConfigurationError,
        `${member}: "scope" cannot add 'openid'`,
      )
    })

    it(`${member}: undefined, none and repeated words are fine`, () => {
      for (const scope of [undefined, '', [], 'a  a b', ['a', 'a']]) flow[member]({ scope })
    })
  }
})
