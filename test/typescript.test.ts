import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { type Consumer, createConsumer, installed, ownEnvironment } from './support/consumer.ts'

const { SUITE_TYPESCRIPT } = process.env

/** The newest compiler; in the matrix an older one, which npx has put on the path. */
const [compiler = '', ...script] =
  SUITE_TYPESCRIPT === undefined
    ? [process.execPath, installed('typescript7/bin/tsc')]
    : [process.platform === 'win32' ? 'tsc.cmd' : 'tsc']

const typesOf = (...names: string[]) => names.map((name) => `@types/${name}`)

/** The types of each Express: what is linked, and what is copied, as its own imports lead to another. */
const expresses: Record<string, { linked: string[]; copied: Record<string, string> }> = {
  '5': { linked: typesOf('express', 'express-session'), copied: {} },
  '4': {
    linked: typesOf('body-parser', 'http-errors', 'mime', 'qs', 'range-parser'),
    copied: {
      '@types/express': 'express4-types',
      '@types/express-session': '@types/express-session',
    },
  },
}

const resolutions = {
  nodenext: { module: 'nodenext', files: ['typed-app.ts', 'required-app.cts'] },
  bundler: { module: 'esnext', files: ['typed-app.ts'] },
}

describe(`installed in projects with TypeScript ${SUITE_TYPESCRIPT ?? '7'}`, function () {
  this.timeout(120_000)

  /** What the compiler prints, and with which code it ends. */
  async function compile(folder: string, args: string[]) {
    try {
      const options = { cwd: folder, env: ownEnvironment() }
      const { stdout } = await promisify(execFile)(compiler, [...script, ...args], options)
      return { code: 0, output: stdout.trim() }
    } catch (error) {
      const { code, stdout } = error as { code: number; stdout: string }
      return { code, output: stdout }
    }
  }

  for (const [express, { linked, copied }] of Object.entries(expresses))
    describe(`and the types of Express ${express}`, () => {
      let consumer: Consumer

      before(async () => {
        const names = ['supertest', 'playwright-core', ...typesOf('node', 'supertest')]
        consumer = await createConsumer([...names, ...linked], express, copied)
        for (const name of resolutions.nodenext.files)
          await consumer.write({
            [name]: await readFile(join(import.meta.dirname, 'consumers', name), 'utf8'),
          })
      })
      after(() => consumer.remove())

      it('those are the versions', async () => {
        const { output } = await compile(consumer.folder, ['--version'])
        expect(output).to.match(new RegExp(`^Version ${SUITE_TYPESCRIPT ?? '7'}\\.`))
        const path = join(consumer.folder, 'node_modules/@types/express/package.json')
        const { version } = JSON.parse(await readFile(path, 'utf8')) as { version: string }
        expect(version).to.match(new RegExp(`^${express}\\.`))
      })

      for (const [moduleResolution, { module, files }] of Object.entries(resolutions))
        it(`compiles with moduleResolution ${moduleResolution}`, async () => {
          const compilerOptions = {
            ...{ module, moduleResolution, target: 'es2023', types: ['node'] },
            ...{ strict: true, noEmit: true, esModuleInterop: true },
            // To check them takes four times as long, and once is enough.
            skipLibCheck: moduleResolution === 'bundler',
          }
          const project = `${moduleResolution}.json`
          await consumer.write({ [project]: JSON.stringify({ compilerOptions, files }) })
          expect(await compile(consumer.folder, ['-p', project])).to.deep.equal({
            code: 0,
            output: '',
          })
        })
    })
})
