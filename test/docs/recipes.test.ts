import { once } from 'node:events'
import http from 'node:http'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import {
  createTestAuthorizationServer,
  type TestAuthorizationServer,
} from '../../src/testing/index.ts'
import { createDocsProject, programIn, type DocsProject } from './docs-project.ts'
import { type GuideApp, script, startGuideApp } from './guide-app.ts'
import { texts } from './guides.ts'

describe('guide recipes.md', function () {
  this.timeout(120_000)

  let project: DocsProject
  let acme: TestAuthorizationServer
  let globex: TestAuthorizationServer
  let app: GuideApp

  before(async () => {
    project = await createDocsProject({ 'recipes.ts': await programIn('recipes.md') })
    acme = await createTestAuthorizationServer({ users: [{ sub: 'ann' }] })
    globex = await createTestAuthorizationServer({ users: [{ sub: 'bea' }] })
    app = await startGuideApp(project, 'recipes.ts', {
      ACME_ISSUER: acme.issuer,
      GLOBEX_ISSUER: globex.issuer,
      NODE_DEBUG: 'express-pkce-flow',
    })
  })

  after(async () => {
    await app?.close()
    await acme?.close()
    await globex?.close()
    await project?.remove()
  })

  beforeEach(() => {
    app.browser.cookies.clear()
    app.server.reset()
  })

  const call = (path: string, navigation: object = {}) =>
    app.browser.request(app.origin + path, { headers: script, ...navigation })

  it('a page asks a person to log in, and refuses whoever lacks a claim', async () => {
    const page = await app.open('/account')
    expect(page).to.include({ url: `${app.origin}/account`, body: 'Signed in as alice' })
    expect(await app.open('/admin')).to.include({ status: 403, body: 'insufficient_scope' })
  })

  it('an API says where to log in, and works after that', async () => {
    const refused = await call('/api/projects')
    expect(refused.headers['content-type']).to.include('application/problem+json')
    const { status, loginUrl } = JSON.parse(refused.body) as { status: number; loginUrl: string }
    expect([status, loginUrl]).to.deep.equal([401, '/login'])
    // As the page's script does.
    const there = await app.open(`${loginUrl}?returnTo=${encodeURIComponent('/api/projects')}`)
    expect(there.body).to.equal('["alice / diary"]')
  })

  it('resolvers share one token', async () => {
    expect((await call('/graphql', { method: 'POST' })).status).to.equal(401)
    await app.open('/account')
    const answer = await call('/graphql', { method: 'POST' })
    expect(JSON.parse(answer.body)).to.deep.equal({
      data: { me: 'alice', projects: ['alice / diary'] },
    })
  })

  /** Status and text of what a WebSocket's request is answered. */
  async function upgrade(origin: string) {
    const cookies = [...(app.browser.cookies.get('127.0.0.1') ?? [])]
    const request = http.request(`${app.origin}/socket`, {
      headers: {
        ...{ connection: 'upgrade', upgrade: 'x', origin },
        cookie: cookies.map((pair) => pair.join('=')).join('; '),
      },
    })
    request.end()
    const answer = await Promise.race([
      once(request, 'upgrade').then(([, socket, head]) => ({
        status: 101,
        body: text(socket as Duplex).then((rest) => String(head) + rest),
      })),
      once(request, 'response').then(([response]) => ({
        status: (response as http.IncomingMessage).statusCode,
        body: text(response as http.IncomingMessage),
      })),
    ])
    return { status: answer.status, body: await answer.body }
  }

  it('a WebSocket is for who is signed in, on a page of the app', async () => {
    expect(await upgrade(app.origin)).to.include({ status: 401 })
    await app.open('/account')
    expect(await upgrade(app.origin)).to.deep.equal({ status: 101, body: 'alice' })
    expect(await upgrade('https://evil.example')).to.include({ status: 401 })
    await app.open('/logout')
    expect(await upgrade(app.origin)).to.include({ status: 401 })
  })

  it('a job has the tokens of the user who connected an account', async () => {
    await app.open('/account')
    expect(JSON.parse((await call('/count')).body)).to.deep.equal({})
    expect((await app.open('/accounts/login')).status).to.equal(404) // there is no page at /
    expect(JSON.parse((await call('/count')).body)).to.deep.equal({ count: 1 })
  })

  it('tenants log in at their own servers, one at a time', async () => {
    const page = await app.open('/acme/home')
    expect(page.body).to.equal('{"tenant":"acme","user":"ann"}')
    expect((await app.open('/globex/home')).body).to.equal('{"tenant":"globex","user":"bea"}')
    expect((await call('/acme/home')).status).to.equal(401)
    const start = await call('/acme/login', { headers: {} })
    const answer = await app.browser.openUntil(app.origin, start.headers.location ?? '')
    const elsewhere = answer.replace('/acme/', '/globex/')
    expect((await app.browser.request(elsewhere)).status).to.equal(400)
  })

  it('NODE_DEBUG says why a login was not found, as troubleshooting.md has it', async () => {
    const guide = texts.get('docs/troubleshooting.md')!
    const start = await call('/login', { headers: {} })
    const answer = await app.browser.openUntil(app.origin, start.headers.location ?? '')
    app.browser.cookies.clear()
    await app.browser.request(answer)
    await app.program.printed(
      /login not found: cookie not sent to host 127.0.0.1, it began at host 127.0.0.1\n/,
    )
    expect(guide).to.include('`cookie not sent to host A, it began at host A`')
    await app.browser.request(`${app.origin}/callback?state=never-ours&code=any`)
    await app.program.printed(
      /login not found: cookie not sent to host 127.0.0.1, no record of it in the store\n/,
    )
    expect(guide).to.include('`cookie not sent …, no record of it in the store`')
  })

  it('the access log has paths, and no secret', async () => {
    await app.open('/account')
    await app.program.printed(/GET \/callback 302\n/)
    await app.program.stop()
    const { output } = await app.program.ended
    expect(output).to.include('GET /account 302\n')
    for (const server of [app.server, acme, globex])
      for (const secret of server.secrets) expect(output).not.to.include(secret)
    expect(output).not.to.include('?')
  })
})
