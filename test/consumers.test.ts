import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Consumer, createConsumer, installed, peers } from './support/consumer.ts'

const consumers = join(import.meta.dirname, 'consumers')

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
    command: [installed('mocha/bin/mocha.js'), '--no-exit', 'projects.test.js'],
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
    command: [installed('vitest/vitest.mjs'), 'run', '--no-color'],
    passed: /Tests\s+3 passed/,
  },
  // It brings 250 packages: only the matrix installs it.
  ...(peers.some((peer) => peer.startsWith('jest@')) && {
    jest: {
      imports: '',
      file: 'projects.test.js',
      command: ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--ci'],
      files: { 'jest.config.json': '{ "testEnvironment": "node", "transform": {} }' },
      passed: /Tests:\s+3 passed, 3 total/,
    },
  }),
}

describe('the test kit, installed from a tarball', function () {
  this.timeout(120_000)

  let project: Consumer

  before(async () => {
    project = await createConsumer(['supertest', 'vitest'])
    await project.write({ 'app.js': await readFile(join(consumers, 'app.js'), 'utf8') })
  })
  after(() => project.remove())

  it(`is beside ${peers.join(' and ') || 'the Express of this suite'}`, async () => {
    for (const peer of peers) {
      const [name = '', version] = peer.split('@')
      const path = join(project.folder, 'node_modules', name, 'package.json')
      const found = JSON.parse(await readFile(path, 'utf8')) as { version: string }
      expect(found.version, name).to.equal(version)
    }
  })

  for (const [name, { imports, file, command, files = {}, passed }] of Object.entries(runners))
    it(`works with ${name}, which ends although nothing closes the server`, async () => {
      const tests = await readFile(join(consumers, 'projects.js'), 'utf8')
      await project.write({ [file]: imports + tests, ...files })
      const { code, output } = await project.node(command)
      expect(output).to.match(passed)
      expect(code, output).to.equal(0)
    })
})
