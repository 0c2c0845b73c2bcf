import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import ts from 'typescript'
import * as publicApi from '../src/index.ts'
import * as testKit from '../src/testing/index.ts'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '..')

interface Manifest {
  name: string
  exports: Record<string, string | Record<string, string>>
  dependencies: Record<string, string>
  peerDependencies: Record<string, string>
}

/** What the documentation lists. Adding is easy, removing is not. */
const documented = [
  'ConfigurationError',
  'PkceFlowError',
  'PkceFlowManager',
  'StateForgeryError',
  'pkceFlow',
]

/** Of express-pkce-flow/testing. */
const documentedTestKit = [
  'TestLoginError',
  'conformance',
  'createTestAuthorizationServer',
  'createTestBrowser',
  'logIn',
  'logoutConformance',
  'misbehaviours',
  'wrongLogoutTokens',
]

describe('package', function () {
  this.timeout(120_000)

  /** A project that has this package installed, and what the package needs. */
  let project: string
  let manifest: Manifest

  before(async () => {
    manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest
    project = await realpath(await mkdtemp(join(tmpdir(), 'project-')))
    const installed = join(project, 'node_modules', manifest.name)
    await mkdir(installed, { recursive: true })
    await cp(join(root, 'package.json'), join(installed, 'package.json'))
    // What `npm run build` does, elsewhere.
    await run(process.execPath, [join(root, 'build.js'), join(installed, 'dist')], { cwd: root })
    await mkdir(join(project, 'node_modules/@types'))
    for (const name of [
      ...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
      ...['@types/node', '@types/express', '@types/express-session'],
      ...['@types/supertest', 'supertest', 'playwright-core'],
    ])
      await symlink(join(root, 'node_modules', name), join(project, 'node_modules', name))
    await writeFile(join(project, 'package.json'), '{ "type": "module" }')
  })

  after(() => rm(project, { recursive: true, force: true }))

  /** What a program of the project prints, as JSON. */
  async function evaluate(type: 'module' | 'commonjs', program: string): Promise<unknown> {
    const { stdout } = await run(process.execPath, [`--input-type=${type}`, '-e', program], {
      cwd: project,
    })
    return JSON.parse(stdout)
  }

  it('exports what is documented, and nothing else', () => {
    expect(Object.keys(publicApi).sort()).to.deep.equal(documented)
  })

  it('exports of its test kit what is documented, and nothing else', async () => {
    expect(Object.keys(testKit).sort()).to.deep.equal(documentedTestKit)
    const program = `
      import * as all from '${manifest.name}/testing'
      console.log(JSON.stringify(Object.keys(all).sort()))`
    expect(await evaluate('module', program)).to.deep.equal(documentedTestKit)
  })

  it('can be imported by its name', async () => {
    const program = `
      import * as all from '${manifest.name}'
      console.log(JSON.stringify(Object.keys(all).sort()))`
    expect(await evaluate('module', program)).to.deep.equal(documented)
  })

  it('can be required by its name', async () => {
    const program = `console.log(JSON.stringify(Object.keys(require('${manifest.name}')).sort()))`
    expect(await evaluate('commonjs', program)).to.deep.equal(documented)
  })

  it('has every file that package.json exports, types before default', async () => {
    for (const [subpath, target] of Object.entries(manifest.exports)) {
      const files = typeof target === 'string' ? [target] : Object.values(target)
      if (typeof target === 'object')
        expect(Object.keys(target), subpath).to.deep.equal(['types', 'default'])
      for (const file of files)
        await readFile(join(project, 'node_modules', manifest.name, file), 'utf8')
      const name = JSON.stringify(join(manifest.name, subpath))
      const attributes = target === './package.json' ? `, { with: { type: 'json' } }` : ''
      await evaluate('module', `await import(${name}${attributes}); console.log('true')`)
    }
  })

  it('keeps its inside to itself', async () => {
    for (const inside of ['dist/errors.js', 'dist/http/flow.js', 'errors']) {
      const program = `
        const { code } = await import('${manifest.name}/${inside}').catch((error) => error)
        console.log(JSON.stringify(code ?? 'imported'))`
      expect(await evaluate('module', program)).to.equal('ERR_PACKAGE_PATH_NOT_EXPORTED')
    }
  })

  it('loads no test server, no store and no client of one with the main entry', async () => {
    const loaded = new Set<string>()
    const dist = join(project, 'node_modules', manifest.name, 'dist')

    async function load(file: string) {
      if (loaded.has(file)) return
      loaded.add(file)
      if (!file.startsWith('/')) return
      const text = await readFile(file, 'utf8')
      for (const [, name = ''] of text.matchAll(/(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g))
        await load(name.startsWith('.') ? resolve(file, '..', name) : name)
    }

    await load(join(dist, 'index.js'))
    const names = [...loaded]
    expect(names.filter((name) => name.includes('/testing/'))).to.be.empty
    const others = names.filter((name) => !name.startsWith('/') && !name.startsWith('node:'))
    const packages = new Set(others.map((name) => name.replace(/\/.*/, '')))
    expect([...packages]).to.have.members(['express', 'jose', 'openid-client'])
    // Its index is 34 files, most of which nobody needs here.
    expect(others).not.to.include('jose')
  })

  it('is typed for consumers who check the types of libraries, too', async () => {
    const app = join(project, 'app.ts')
    await writeFile(
      app,
      `import express from 'express'
      import session from 'express-session'
      import { pkceFlow } from '${manifest.name}'
      import '${manifest.name}/req-token'
      import { createTestAuthorizationServer, createTestBrowser, logIn } from '${manifest.name}/testing'
      import type { Page } from 'playwright-core'
      import request from 'supertest'
      const app = express()
      const flow = pkceFlow({
        issuer: 'https://server.example',
        clientId: 'client',
        redirectUri: 'https://app.example/callback',
      })
      app.use(session({ secret: 'x' }), flow)
      app.get('/', flow.requireToken((req, res) => { res.json(req.token.scope) }))
      app.get('/who', (req, res) => { res.json(req.token?.claims?.sub) })
      export async function test(page: Page) {
        const server = await createTestAuthorizationServer({ users: [{ sub: 'carol' }] })
        server.misbehave('id-token-wrong-iss', { times: 1 })
        // @ts-expect-error it has no such name
        server.misbehave('id-token-wrong-is')
        await logIn(request.agent(app), { server, user: 'carol' })
        await logIn(page, { server, scope: ['read'] })
        const { tokens } = await logIn(createTestBrowser('http://127.0.0.1:8000'), { server })
        return tokens.accessToken
      }`,
    )
    const program = ts.createProgram([app], {
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2023,
      strict: true,
      noEmit: true,
      types: ['node'],
    })
    const files = program
      .getSourceFiles()
      .filter(({ fileName }) => fileName === app || fileName.includes(`/${manifest.name}/dist/`))
    expect(files.length).to.be.greaterThan(10)
    const messages = files.flatMap((file) =>
      [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
        ({ messageText }) => [file.fileName, ts.flattenDiagnosticMessageText(messageText, ' ')],
      ),
    )
    expect(messages).to.be.empty
  })

  it('package-lock.json names no registry: everybody’s own is asked', async () => {
    const lock = await readFile(join(root, 'package-lock.json'), 'utf8')
    expect(lock).not.to.include('"resolved"')
    expect(lock).not.to.match(/registry\./)
  })
})
