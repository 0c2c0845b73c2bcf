import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { type Consumer, createConsumer, manifest } from './support/consumer.ts'

const root = resolve(import.meta.dirname, '..')

describe('package', function () {
  this.timeout(120_000)

  let project: Consumer
  let installed: string

  before(async () => {
    project = await createConsumer([])
    installed = join(project.folder, 'node_modules', manifest.name)
  })
  after(() => project.remove())

  /** What a program of the project prints, as JSON. */
  async function evaluate(program: string): Promise<unknown> {
    const { code, output } = await project.node(['--input-type=module', '-e', program])
    expect(code, output).to.equal(0)
    return JSON.parse(output)
  }

  it('has no fault that publint knows, suggestions included', async () => {
    const { messages, pkg } = await publint({ pkgDir: installed, strict: true, pack: false })
    expect(messages.map((message) => formatMessage(message, pkg))).to.deep.equal([])
  })

  it('has every file that package.json exports, types before default', async () => {
    for (const [subpath, target] of Object.entries(manifest.exports)) {
      const files = typeof target === 'string' ? [target] : Object.values(target)
      if (typeof target === 'object')
        expect(Object.keys(target), subpath).to.deep.equal(['types', 'default'])
      for (const file of files) await readFile(join(installed, file), 'utf8')
    }
    const program = `
      const { version } = (await import('${manifest.name}/package.json', { with: { type: 'json' } })).default
      console.log(JSON.stringify(version))`
    expect(await evaluate(program)).to.equal(manifest.version)
  })

  it('brings what the licence asks for, and what a reader looks for who is offline', async () => {
    for (const file of ['LICENSE', 'README.md', 'CHANGELOG.md'])
      expect((await stat(join(installed, file))).size, file).to.be.greaterThan(500)
  })

  it('keeps its inside to itself', async () => {
    const inside = ['dist/errors.js', 'dist/http/flow.js', 'errors']
    const program = `
      const codes = ${JSON.stringify(inside)}.map((path) =>
        import('${manifest.name}/' + path).then(() => 'imported', ({ code }) => code))
      console.log(JSON.stringify(await Promise.all(codes)))`
    expect(await evaluate(program)).to.deep.equal(inside.map(() => 'ERR_PACKAGE_PATH_NOT_EXPORTED'))
  })

  it('loads no test server, no store and no client of one with the main entry', async () => {
    const loaded = new Set<string>()
    const dist = join(installed, 'dist')

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

  it('package-lock.json names no registry: everybody’s own is asked', async () => {
    const lock = await readFile(join(root, 'package-lock.json'), 'utf8')
    expect(lock).not.to.include('"resolved"')
    expect(lock).not.to.match(/registry\./)
  })
})
