import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import {
  createTestAuthorizationServer,
  createTestBrowser,
  logIn,
  type TestAuthorizationServer,
} from '../src/testing/index.ts'
import { blocksOf, type Block } from './docs/guides.ts'
import { type Consumer, createConsumer, ownEnvironment } from './support/consumer.ts'

/** What somebody has who finds this package. */
const existingApp = `import type { AddressInfo } from 'node:net'
import express from 'express'
import session from 'express-session'

declare module 'express-session' {
  interface SessionData {
    visits: number
  }
}

const app = express()
app.use(session({ secret: 'of the app', resave: false, saveUninitialized: false }))

app.get('/', (req, res) => {
  req.session.visits = (req.session.visits ?? 0) + 1
  res.json({ visits: req.session.visits })
})

const listener = app.listen(0, '127.0.0.1', () => {
  console.log((listener.address() as AddressInfo).port)
})
`

/** "To an app that has express-session already, add what names ...". */
function addToExistingApp(snippet: string): string {
  const isNamed = (text: string) => /express-pkce-flow|gitlab/.test(text)
  const [imports = '', ...paragraphs] = snippet.split('\n\n')
  const added = paragraphs.filter(isNamed)
  return [
    ...imports.split('\n').filter(isNamed),
    existingApp.replace(/^app\.use\(session.*$/m, (line) => [line, ...added].join('\n\n')),
  ].join('\n')
}

describe('a stranger with an Express app, the tarball and the README', function () {
  this.timeout(120_000)

  let project: Consumer
  let server: TestAuthorizationServer
  let blocks: Block[]
  let app: ChildProcess | undefined

  before(async () => {
    const readme = await readFile(resolve(import.meta.dirname, '../README.md'), 'utf8')
    blocks = blocksOf(readme).filter(({ language }) => language === 'ts')
    project = await createConsumer(['supertest', 'tsx'])
    server = await createTestAuthorizationServer()
  })
  after(async () => {
    app?.kill()
    await server.close()
    await project.remove()
  })

  it('adds the first snippet, and has a route for those who log in', async () => {
    const code = addToExistingApp(blocks[0]!.code)
    // The server's name, and what it has for an API.
    const named = code
      .replace('https://gitlab.com/api/v4/projects?membership=true', `${server.issuer}/userinfo`)
      .replaceAll('https://gitlab.com', server.issuer)
    await project.write({ 'existing.ts': named })
    const variables = Array.from(code.matchAll(/process\.env\.(\w+)!/g), ([, name = '']) => name)
    expect(variables).to.deep.equal(['GITLAB_CLIENT_ID', 'GITLAB_CLIENT_SECRET'])
    app = spawn(process.execPath, ['--import', 'tsx', 'existing.ts'], {
      cwd: project.folder,
      env: ownEnvironment({
        GITLAB_CLIENT_ID: 'test-client',
        GITLAB_CLIENT_SECRET: 'test-client-secret',
      }),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [port] = (await Promise.race([
      once(createInterface(app.stdout!), 'line'),
      once(app, 'exit').then(() => ['(ended)']),
    ])) as string[]
    const browser = createTestBrowser(`http://127.0.0.1:${port}`)
    const open = async (path: string) => {
      const response = await browser.fetch(path)
      return [response.status, (await response.json()) as object] as const
    }

    expect(await open('/')).to.deep.equal([200, { visits: 1 }])
    const program = await fetch(`http://127.0.0.1:${port}/projects`)
    expect(program.status).to.equal(401)
    expect(await program.json()).to.include({ code: 'login_required', loginUrl: '/login' })

    const { landing, tokens } = await logIn(browser, { server, user: 'bob', path: '/projects' })
    expect(landing).to.equal('/projects')
    const [status, projects] = await open(landing)
    expect(status).to.equal(200)
    expect(projects).to.include({ sub: 'bob' })
    const request = await server.received('userinfo')
    expect(request.headers.authorization).to.equal(`Bearer ${tokens.accessToken}`)
    expect(await open('/'), 'what the app kept is there').to.deep.equal([200, { visits: 2 }])
  })

  it('has a test of it in at most 12 lines, which passes', async () => {
    const files = blocks.flatMap(({ name, code }) => (name === undefined ? [] : [[name, code]]))
    const { 'projects.test.ts': test = '', ...others } = Object.fromEntries(files) as Record<
      string,
      string
    >
    expect(Object.keys(others)).to.deep.equal(['app.ts'])
    expect(test.trimEnd().split('\n').length).to.be.at.most(12)
    await project.write({ ...others, 'projects.test.ts': test })
    const command = ['--import', 'tsx', '--test', 'projects.test.ts']
    const readme = await readFile(join(import.meta.dirname, '../README.md'), 'utf8')
    expect(readme).to.include(`node ${command.join(' ')}`)
    const { code, output } = await project.node([
      ...command.slice(0, 3),
      '--test-reporter=tap',
      ...command.slice(3),
    ])
    expect(output).to.match(/# pass 1\n# fail 0/)
    expect(code, output).to.equal(0)
  })
})
