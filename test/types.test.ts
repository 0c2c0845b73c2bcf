import { mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { compile, compilerVersion } from './support/compiler.ts'
import { installed } from './support/consumer.ts'

const folder = join(import.meta.dirname, 'types')

/** A file that must not compile, so it cannot be on the disk: `npm test` compiles all that is. */
const withoutImport = `
  import express from 'express'
  import { pkceFlow } from '${join(import.meta.dirname, '../src/index.ts')}'
  express().use(pkceFlow({} as never)).get('/', (req) => {
    console.log(req.token)
  })
`

/** Files of ours that a project compiles, and what TypeScript says about them. */
async function check(tsconfig: string) {
  const args = ['-p', tsconfig, '--noEmit', '--listFiles', '--pretty', 'false']
  const { code, output } = await compile(folder, args)
  const lines = output.split('\n')
  const isError = (line: string) => /(^|: )error TS\d+: |^ /.test(line)
  const files = lines
    .filter((line) => !isError(line) && line.startsWith(`${folder}/`))
    .map((file) => file.slice(folder.length + 1))
    .sort()
  return { code, files, errors: lines.filter(isError) }
}

describe(`types, for TypeScript ${compilerVersion}`, function () {
  this.timeout(120_000)

  it('options, members and error codes: what is wrong does not compile', async () => {
    expect(await check(join(folder, 'tsconfig.json'))).to.deep.equal({
      code: 0,
      files: [
        ...['connect.ts', 'error-codes.ts', 'locks.ts', 'manager.ts', 'members.ts'],
        ...['options.ts', 'presets.ts', 'signing-in-again.ts'],
      ],
      errors: [],
    })
  })

  it('the main entry augments nothing', async () => {
    const elsewhere = await realpath(await mkdtemp(join(tmpdir(), 'types-')))
    try {
      await symlink(installed(''), join(elsewhere, 'node_modules'))
      await writeFile(join(elsewhere, 'without-import.mts'), withoutImport)
      const project = {
        extends: join(folder, 'tsconfig.json'),
        // It names the source by its whole path.
        compilerOptions: {
          rewriteRelativeImportExtensions: false,
          allowImportingTsExtensions: true,
        },
        include: [],
        files: ['without-import.mts'],
      }
      await writeFile(join(elsewhere, 'tsconfig.json'), JSON.stringify(project))
      const { errors } = await check(join(elsewhere, 'tsconfig.json'))
      expect(errors.join('\n')).to.match(
        /^\S*without-import\.mts\(5,21\): error TS2339: Property 'token' does not exist on type 'Request[^\n]*$/,
      )
    } finally {
      await rm(elsewhere, { recursive: true })
    }
  })

  it("with 'express-pkce-flow/req-token' req.token is a Token or undefined", async () => {
    expect(await check(join(folder, 'req-token/tsconfig.json'))).to.deep.equal({
      code: 0,
      files: ['req-token/request.ts'],
      errors: [],
    })
  })
})
