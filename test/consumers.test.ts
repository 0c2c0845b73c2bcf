import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '..')
const consumers = join(import.meta.dirname, 'consumers')
const bin = (path: string): string => join(root, 'node_modules', path)

interface Runner {
  /** In front of the tests. */
  imports: string
  file: string
  /** Arguments of node. */
  command: string[]
  /** More files of the project. */
  files?: Record<string, string>
  /** That three tests passed, in its words. */
  passed: RegExp
}

const runners: Record<string, Runner> = {
  mocha: {
    imports: '',
    file: 'projects.test.js',
    // Nothing may be left that keeps the process alive.
    command: [bin('mocha/bin/mocha.js'), '--no-exit', 'projects.test.js'],
    passed: /3 passing/,
  },
  'node:test': {
    imports: "import { it } from 'node:test'\n",
    file: 'projects.test.js',
    command: ['--test', '--test-reporter=tap'],
    passed: /# pass 3\n# fail 0/,
  },
  vitest: {
    imports: "import { it } from 'vitest'\n",
    file: 'projects.test.js',
    command: [bin('vitest/vitest.mjs'), 'run', '--no-color'],
    passed: /Tests\s+3 passed/,
  },
  jest: {
    imports: '',
    file: 'projects.test.js',
    command: ['--experimental-vm-modules', bin('jest/bin/jest.js'), '--ci'],
    files: { 'jest.config.json': '{ "testEnvironment": "node", "transform": {} }' },
    passed: /Tests:\s+3 passed, 3 total/,
  },
}

/** Packs what npm would publish; gives the folder with its content. */
async function pack(folder: string): Promise<string> {
  const source = join(folder, 'source')
  await mkdir(source)
  for (const file of ['package.json', 'README.md', 'LICENSE'])
    await cp(join(root, file), join(source, file))
  await run(process.execPath, [join(root, 'build.js'), join(source, 'dist')], { cwd: root })
  await run('npm', ['pack', '--ignore-scripts', '--offline', '--pack-destination', folder], {
    cwd: source,
  })
  const { name, version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    name: string
    version: string
  }
  await run('tar', ['-xzf', `${name}-${version}.tgz`], { cwd: folder })
  return join(folder, 'package')
}

describe('the test kit, installed from a tarball', function () {
  this.timeout(120_000)

  let folder: string
  let packed: string

  before(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'consumers-')))
    packed = await pack(folder)
  })
  after(() => rm(folder, { recursive: true, force: true }))

  /** A project with the package, and as much of the others as it needs. */
  async function createProject(name: string, { imports, file, files = {} }: Runner) {
    const project = join(folder, name.replace(':', '-'))
    const modules = join(project, 'node_modules')
    await mkdir(modules, { recursive: true })
    await cp(packed, join(modules, 'express-pkce-flow'), { recursive: true })
    for (const each of [
      'express',
      'express-session',
      'supertest',
      'vitest',
      'jose',
      'openid-client',
    ])
      await symlink(bin(each), join(modules, each))
    await writeFile(join(project, 'package.json'), '{ "type": "module" }')
    await cp(join(consumers, 'app.js'), join(project, 'app.js'))
    await writeFile(
      join(project, file),
      imports + (await readFile(join(consumers, 'projects.js'), 'utf8')),
    )
    for (const [path, text] of Object.entries(files)) await writeFile(join(project, path), text)
    return project
  }

  for (const [name, runner] of Object.entries(runners))
    it(`works with ${name}, which ends although nothing closes the server`, async () => {
      const project = await createProject(name, runner)
      const env: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: '1' }
      // What this suite runs with is none of theirs; node:test would report to whoever started it.
      for (const inherited of ['NODE_TEST_CONTEXT', 'NODE_OPTIONS'])
        Reflect.deleteProperty(env, inherited)
      const { stdout, stderr } = await run(process.execPath, runner.command, {
        cwd: project,
        env,
        timeout: 60_000,
      })
      expect(stdout + stderr).to.match(runner.passed)
    })
})
