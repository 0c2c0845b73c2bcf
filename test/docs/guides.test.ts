import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { expect } from 'chai'
import { PkceFlowManager } from '../../src/index.ts'
import {
  createTestAuthorizationServer,
  type TestAuthorizationServer,
} from '../../src/testing/index.ts'
import { MemoryManager } from '../manager/memory-manager.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import { findFreePort } from '../support/service.ts'
import {
  createDocsProject,
  programIn,
  type DocsProject,
  type RunningProgram,
} from './docs-project.ts'
import { client, startForgejo, startGitLab, type GitLab } from './gitlab.ts'
import { startSlowDatabase } from './slow-database.ts'

describe('guides', function () {
  this.timeout(120_000)

  let project: DocsProject
  let gitlab: GitLab
  let running: RunningProgram | undefined
  let origin: string
  let browser: Browser

  before(async () => {
    project = await createDocsProject({
      'script.ts': await programIn('manager.md'),
      'router.ts': await programIn('connect-gitlab.md', 'With the router'),
      'manager.ts': await programIn('connect-gitlab.md', 'With the manager'),
      'slow-reads.ts': slowReads(await programIn('connect-gitlab.md', 'With the manager')),
      'several.ts': await programIn('several-providers.md'),
    })
  })

  after(() => project.remove())

  /** The same program over a database that takes its time to say what it has read. */
  function slowReads(program: string): string {
    const [before, after, ...more] = program.split('  return user.tokens\n')
    expect([after, ...more])
      .to.have.length(1)
      .and.not.include(undefined)
    const read = 'const found = user.tokens\nawait fetch(process.env.DATABASE_URL!)\nreturn found\n'
    return `${before}${read}${after}`
  }

  beforeEach(async () => {
    gitlab = await startGitLab()
    browser = createBrowser()
  })

  afterEach(async () => {
    await running?.stop()
    running = undefined
    await gitlab.close()
  })

  /** Runs a program, and waits until it has printed this. */
  async function run(name: string, pattern: RegExp, environment = {}): Promise<string> {
    for (let attempt = 1; ; attempt += 1)
      try {
        return await runSomewhere(name, pattern, environment)
      } catch (error) {
        // Somebody else took the port meanwhile.
        if (attempt === 5 || !String(error).includes('EADDRINUSE')) throw error
      }
  }

  async function runSomewhere(name: string, pattern: RegExp, environment: object) {
    const port = await findFreePort()
    origin = `http://127.0.0.1:${port}`
    running = project.run(name, {
      PORT: String(port),
      GITLAB_URL: gitlab.origin,
      GITLAB_CLIENT_ID: client.clientId,
      GITLAB_CLIENT_SECRET: client.clientSecret,
      SESSION_SECRET: 'session-secret-of-the-guide',
      ...environment,
    })
    return running.printed(pattern)
  }

  async function noSecretIsPrinted(...servers: TestAuthorizationServer[]) {
    await running!.stop()
    const { output } = await running!.ended
    for (const server of [gitlab.server, ...servers]) {
      const { query } = await server.received('authorization')
      for (const secret of server.secrets)
        if (secret !== query.get('state')) expect(output).not.to.include(secret)
    }
  }

  describe('manager.md', () => {
    it('the script connects, lists projects, refreshes and disconnects', async () => {
      const url = await run('script.ts', /Open (\S+)\n/)
      const page = await browser.open(url)
      expect(page.body).to.equal('Done. You can close this window.')
      const { code, output } = await running!.ended
      expect(code, output).to.equal(0)
      expect(output.split('\n').slice(1)).to.deep.equal(['- alice / diary', 'Disconnected.', ''])
      expect(gitlab.server.count('token')).to.equal(2)
      expect(gitlab.server.issued[1]).to.include({ active: false, refreshable: false })
      await noSecretIsPrinted()
    })

    it('the script listens before it sends anybody away', async () => {
      const watch = `import { Server } from 'node:net'
        const { emit } = Server.prototype
        Server.prototype.emit = function (name, ...values) {
          if (name === 'listening') process.stdout.write('listening, then ')
          return emit.call(this, name, ...values)
        }`
      const preload = `--import=data:text/javascript,${encodeURIComponent(watch)}`
      await run('script.ts', /Open \S+\n/, { NODE_OPTIONS: preload })
      await running!.stop()
      expect((await running!.ended).output).to.match(/^listening, then Open/)
    })

    it('says so when access is not given', async () => {
      const url = await run('script.ts', /Open (\S+)\n/)
      gitlab.server.misbehave('authorization', { authorizationError: 'access_denied' })
      await browser.open(url)
      const { code, output } = await running!.ended
      expect(code).to.equal(1)
      expect(output).to.include('GitLab gave no access.')
      expect(gitlab.server.count('token')).to.equal(0)
    })

    it('names every method and attribute, and no other', async () => {
      const text = await readFile(resolve(import.meta.dirname, '../../docs/manager.md'), 'utf8')
      const tables = /## Attributes\n([^]*)## What it sees to/.exec(text)![1]!
      const named = [...tables.matchAll(/^\|(.*?)\|/gm)].flatMap(([, cell = '']) =>
        [...cell.matchAll(/`(\w+)/g)].map(([, name]) => name),
      )
      const methods = Object.getOwnPropertyNames(PkceFlowManager.prototype)
      const hooks = Object.getOwnPropertyNames(MemoryManager.prototype)
      const attributes =
        'clientId clientSecret clientAuth redirectUri rootUrl authorizationPath tokenPath revocationPath ' +
        'issuer server scope authorizationParams timeout clockTolerance agent'
      const expected = new Set([...methods, ...hooks, ...attributes.split(' ')])
      for (const inner of ['constructor', 'toJSON']) expected.delete(inner)
      expect(named).to.have.members([...expected])
    })
  })

  describe('connect-gitlab.md, with the router', () => {
    beforeEach(async () => {
      await run('router.ts', /projects\n/)
    })

    /** What a browser says of an address that was typed. */
    const headers = {
      'sec-fetch-site': 'none',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    }
    const projects = '[{"id":1,"name_with_namespace":"alice / diary"}]'

    it('from signing in to listing projects, a job and disconnecting', async () => {
      expect((await browser.open(`${origin}/projects`)).status).to.equal(401)
      await browser.request(`${origin}/sign-in/alice`, { method: 'POST' })
      const page = await browser.open(`${origin}/projects`, { headers })
      expect(page).to.include({ status: 200, url: `${origin}/projects`, body: projects })
      expect((await browser.request(`${origin}/count`)).body).to.equal('1')

      // Another browser of the same user finds the tokens.
      const other = createBrowser()
      await other.request(`${origin}/sign-in/alice`, { method: 'POST' })
      expect((await other.request(`${origin}/projects`)).body).to.equal(projects)
      expect(gitlab.server.count('token')).to.equal(1)

      const gone = await browser.request(`${origin}/gitlab/disconnect`, { method: 'POST' })
      expect(JSON.parse(gone.body)).to.deep.equal({ revoked: true })
      expect(gitlab.server.issued[0]).to.include({ active: false, refreshable: false })
      expect((await other.request(`${origin}/projects`, { headers })).status).to.equal(302)
      await noSecretIsPrinted()
    })

    it('reconnecting after disconnecting: the user is still signed in, another account will do', async () => {
      await browser.request(`${origin}/sign-in/alice`, { method: 'POST' })
      await browser.open(`${origin}/projects`, { headers })
      const session = browser.cookies.get('127.0.0.1')?.get('connect.sid')
      await browser.request(`${origin}/gitlab/disconnect`, { method: 'POST' })
      gitlab.server.authorizeAs('bob')
      const page = await browser.open(`${origin}/projects`, { headers })
      expect(page.body).to.include('bob / diary')
      expect(gitlab.server.count('token')).to.equal(2)
      expect(gitlab.server.issued[1]).to.include({ active: true, refreshable: true })
      expect(browser.cookies.get('127.0.0.1')?.get('connect.sid')).to.equal(session)
    })

    it('C-28: another site cannot make a user connect', async () => {
      await browser.request(`${origin}/sign-in/alice`, { method: 'POST' })
      for (const path of ['/projects', '/gitlab/login']) {
        const page = await browser.request(origin + path, {
          headers: { ...headers, 'sec-fetch-site': 'cross-site' },
        })
        expect(page.headers).not.to.have.property('location')
        expect(page.status).to.equal(path === '/projects' ? 401 : 403)
      }
    })

    it('P16: another user gets other projects', async () => {
      await browser.request(`${origin}/sign-in/alice`, { method: 'POST' })
      await browser.open(`${origin}/projects`, { headers })
      gitlab.server.authorizeAs('bob')
      const bobs = createBrowser()
      await bobs.request(`${origin}/sign-in/bob`, { method: 'POST' })
      expect((await bobs.open(`${origin}/projects`, { headers })).body).to.include('bob / diary')
      expect((await browser.open(`${origin}/projects`)).body).to.equal(projects)
    })
  })

  describe('connect-gitlab.md, with the manager', () => {
    beforeEach(async () => {
      await run('manager.ts', /projects\n/)
      signIn('alice')
    })

    /** Connects with an access token that is to be refreshed before it is used. */
    async function connectBriefly() {
      const tokenResponse = (usual: object) => ({ ...usual, expires_in: 20 })
      gitlab.server.misbehave('token', { tokenResponse }, { times: 1 })
      const start = await browser.request(`${origin}/gitlab/connect`, { method: 'POST' })
      const callback = await browser.openUntil(origin, start.headers.location ?? '')
      expect(await browser.request(callback)).to.include({ status: 303 })
    }

    /** Lets the server hold back its answer to the next token request; the tokens are made. */
    function holdToken(): () => void {
      let release = () => {}
      const delay = new Promise<void>((resolve_) => (release = resolve_))
      gitlab.server.misbehave('token', { delay }, { times: 1, processed: true })
      return release
    }

    function signIn(user: string) {
      browser.cookies.set('127.0.0.1', new Map([['user', user]]))
    }

    const post = (path: string) => browser.open(origin + path, { method: 'POST' })

    it('from connecting to listing projects and disconnecting', async () => {
      signIn('nobody')
      expect((await browser.open(`${origin}/projects`)).status).to.equal(401)
      signIn('alice')
      expect((await browser.open(`${origin}/projects`)).body).to.include('Connect GitLab')
      const page = await post('/gitlab/connect')
      expect(page).to.include({ status: 200, url: `${origin}/projects` })
      expect(page.body).to.include('alice / diary')
      expect((await post('/gitlab/disconnect')).body).to.equal('Disconnected')
      expect(gitlab.server.issued[0]).to.include({ active: false, refreshable: false })
      expect((await browser.open(`${origin}/projects`)).body).to.include('Connect GitLab')
      expect((await post('/gitlab/connect')).body).to.include('alice / diary')
      await noSecretIsPrinted()
    })

    it('tokens are refreshed before they expire, once for requests at the same time', async () => {
      gitlab.server.misbehave(
        'token',
        { tokenResponse: (usual) => ({ ...usual, expires_in: 20 }) },
        { times: 1 },
      )
      await post('/gitlab/connect')
      expect(gitlab.server.count('token')).to.equal(2)
      await browser.open(`${origin}/projects`)
      expect(gitlab.server.count('token')).to.equal(2)
    })

    it('who disconnects during a refresh stays disconnected, and its tokens are revoked', async () => {
      await connectBriefly()
      const release = holdToken()
      const list = browser.request(`${origin}/projects`)
      await gitlab.server.received('token', 2)
      expect((await post('/gitlab/disconnect')).body).to.equal('Disconnected')
      release()
      expect((await list).body).to.include('Connect GitLab')
      expect((await browser.open(`${origin}/projects`)).body).to.include('Connect GitLab')
      expect(gitlab.server.issued[1]).to.include({ active: false, refreshable: false })
    })

    it('who connects anew during a refresh keeps the new tokens, and the others are revoked', async () => {
      await connectBriefly()
      const release = holdToken()
      const list = browser.request(`${origin}/projects`)
      await gitlab.server.received('token', 2)
      gitlab.server.authorizeAs('bob')
      const start = await browser.request(`${origin}/gitlab/connect`, { method: 'POST' })
      const callback = await browser.openUntil(origin, start.headers.location ?? '')
      await browser.request(callback)
      release()
      expect((await list).body).to.include('bob / diary')
      expect((await browser.open(`${origin}/projects`)).body).to.include('bob / diary')
      expect(gitlab.server.issued[1]).to.include({ active: false, refreshable: false })
      expect(gitlab.server.issued[2]).to.include({ active: true, refreshable: true })
    })

    it('P8: a request that read the old tokens before they were replaced does not send them', async () => {
      await running!.stop()
      const database = await startSlowDatabase()
      try {
        await run('slow-reads.ts', /projects\n/, { DATABASE_URL: database.url })
        await connectBriefly()
        const release = holdToken()
        const first = browser.request(`${origin}/projects`)
        await database.asked
        database.answer()
        await gitlab.server.received('token', 2)
        const second = browser.request(`${origin}/projects`)
        await browser.request(`${origin}/elsewhere`)
        release()
        expect((await first).body).to.include('alice / diary')
        database.hurry()
        expect((await second).body).to.include('alice / diary')
        expect(gitlab.server.count('token')).to.equal(2)
        expect(gitlab.server.issued[1]).to.include({ active: true, refreshable: true })
      } finally {
        await database.close()
      }
    })

    it('P16: an answer is of no use to another user', async () => {
      const start = await browser.request(`${origin}/gitlab/connect`, { method: 'POST' })
      const { location = '' } = start.headers
      const callback = await browser.openUntil(`${origin}/gitlab/callback`, location)
      signIn('bob')
      const page = await browser.request(callback)
      expect(page.status).to.equal(400)
      expect(gitlab.server.count('token')).to.equal(0)
    })

    it('access that is not given', async () => {
      gitlab.server.misbehave('authorization', { authorizationError: 'access_denied' })
      expect(await post('/gitlab/connect')).to.include({ status: 403 })
    })
  })

  describe('several-providers.md', () => {
    let company: TestAuthorizationServer
    let forgejo: GitLab

    beforeEach(async () => {
      company = await createTestAuthorizationServer({ clients: [client] })
      forgejo = await startForgejo()
      await run('several.ts', /^http.*\n/m, {
        ISSUER: company.issuer,
        CLIENT_ID: client.clientId,
        CLIENT_SECRET: client.clientSecret,
        FORGEJO_URL: forgejo.origin,
        FORGEJO_CLIENT_ID: client.clientId,
        FORGEJO_CLIENT_SECRET: client.clientSecret,
      })
    })

    afterEach(async () => {
      await forgejo.close()
      await company.close()
    })

    const headersFrom = (site: string) => ({
      'sec-fetch-user': '?1',
      'sec-fetch-site': site,
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    })
    /** A link on a page of the app. */
    const click = (path: string, by = browser) =>
      by.open(origin + path, { headers: headersFrom('same-origin') })
    const projects = '[{"id":1,"name_with_namespace":"alice / diary"}]'

    async function connectBoth() {
      await click('/')
      await click('/gitlab/login')
      await click('/forgejo/login')
    }

    it('signing in, connecting both, listing what is there, disconnecting one', async () => {
      const start = await click('/')
      expect(start).to.include({ status: 200, url: `${origin}/` })
      expect(start.body).to.include('"/gitlab/login"').and.to.include('"/forgejo/login"')
      expect((await click('/projects')).body).to.equal(projects)
      expect((await click('/')).body)
        .to.include('"/gitlab/logout"')
        .and.to.include('"/forgejo/login"')
      expect((await click('/repositories')).body).to.equal(projects)
      for (const server of [company, gitlab.server, forgejo.server])
        expect(server.count('token')).to.equal(1)

      expect((await click('/gitlab/logout')).body)
        .to.include('"/gitlab/login"')
        .and.to.include('"/forgejo/logout"')
      expect(gitlab.server.issued[0]).to.include({ active: false, refreshable: false })
      expect(forgejo.server.issued[0]).to.include({ active: true })
      expect((await click('/repositories')).body).to.equal(projects)
      await noSecretIsPrinted(company, forgejo.server)
    })

    it('logging out leaves connected accounts to the user, and to nobody else', async () => {
      await connectBoth()
      await browser.request(`${origin}/logout`)
      expect((await click('/projects')).body).to.include('not_signed_in')
      for (const { server } of [gitlab, forgejo]) expect(server.issued[0]!.active).to.equal(true)
      await click('/')
      expect((await click('/projects')).body).to.equal(projects)

      company.authorizeAs('bob')
      const bobs = createBrowser()
      const page = await click('/', bobs)
      expect(page.body).to.include('"/gitlab/login"').and.to.include('"/forgejo/login"')
      expect(gitlab.server.count('token')).to.equal(1)
    })

    it('leaving disconnects both', async () => {
      await connectBoth()
      await browser.request(`${origin}/leave`, { method: 'POST' })
      expect(gitlab.server.issued[0]).to.include({ active: false })
      // Has nowhere to revoke tokens.
      expect(forgejo.server.issued[0]).to.include({ active: true })
      await click('/')
      expect((await click('/')).body)
        .to.include('"/gitlab/login"')
        .and.to.include('"/forgejo/login"')
    })

    it('who arrives from a provider is offered to connect, and who is nobody to sign in', async () => {
      await click('/')
      const cross = { headers: headersFrom('cross-site') }
      const refused = await browser.open(`${origin}/projects`, cross)
      expect(refused.status).to.equal(401)
      expect(refused.body).to.equal('gitlab: not_connected <a href="/gitlab/login">Go on</a>')
      const nobody = await click('/forgejo/login', createBrowser())
      expect(nobody.status).to.equal(401)
      expect(nobody.body).to.equal('forgejo: not_signed_in <a href="/login">Go on</a>')
    })

    it('an answer to one is refused at the callback of another', async () => {
      await click('/')
      const sent = await browser.request(`${origin}/gitlab/login`, {
        headers: headersFrom('same-origin'),
      })
      const { search } = new URL(await browser.openUntil(origin, sent.headers.location!))
      for (const path of ['/callback', '/forgejo/callback']) {
        const page = await browser.request(origin + path + search)
        expect(page.body).to.include('login_not_found')
      }
      expect((await browser.open(`${origin}/gitlab/callback${search}`)).body).to.include(
        '"/gitlab/logout"',
      )
    })
  })
})
