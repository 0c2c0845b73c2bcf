import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { compile, compilerVersion } from './support/compiler.ts'
import { type Consumer, createConsumer } from './support/consumer.ts'

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

describe(`installed in projects with TypeScript ${compilerVersion}`, function () {
  this.timeout(120_000)

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
        expect(output).to.match(new RegExp(`^Version ${compilerVersion}\\.`))
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
