import { dirname, join } from 'node:path'
import { expect } from 'chai'
import ts from 'typescript'

const folder = join(import.meta.dirname, 'types')

/** A file that must not compile, so it cannot be on the disk: `npm test` compiles all that is. */
const withoutImport = {
  path: join(folder, 'without-import.ts'),
  text: `
    import express from 'express'
    import { pkceFlow } from '../../src/index.ts'
    express().use(pkceFlow({} as never)).get('/', (req) => {
      console.log(req.token)
    })
  `,
}

/** Parsed once for all projects. */
const sourceFiles = new Map<string, ts.SourceFile | undefined>()

function createHost(options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createCompilerHost(options)
  const read = host.getSourceFile.bind(host)
  host.getSourceFile = (name, ...rest) => {
    if (name === withoutImport.path)
      return ts.createSourceFile(name, withoutImport.text, ts.ScriptTarget.Latest)
    if (!sourceFiles.has(name)) sourceFiles.set(name, read(name, ...rest))
    return sourceFiles.get(name)
  }
  return host
}

/** What TypeScript says about the files of a project, and about `more`: messages by file. */
function check(tsconfig: string, more: string[] = []): Record<string, string[]> {
  const path = join(folder, tsconfig)
  const { fileNames, options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(path, (name) => ts.sys.readFile(name)).config,
    ts.sys,
    dirname(path),
  )
  const names = [...fileNames, ...more]
  const program = ts.createProgram(names, options, createHost(options))
  const messages = names.map((name) => {
    const file = program.getSourceFile(name)
    const found = [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ].map(({ start = 0, messageText }) => {
      const line = (file?.getLineAndCharacterOfPosition(start).line ?? 0) + 1
      return `${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
    })
    return [name.slice(folder.length + 1), found]
  })
  return Object.fromEntries(messages) as Record<string, string[]>
}

describe('types', function () {
  this.timeout(120_000)

  it('options, members and error codes: what is wrong does not compile; the main entry augments nothing', () => {
    const { 'without-import.ts': unknownMember, ...others } = check('tsconfig.json', [
      withoutImport.path,
    ])
    expect(others).to.deep.equal({
      'connect.ts': [],
      'error-codes.ts': [],
      'locks.ts': [],
      'manager.ts': [],
      'members.ts': [],
      'options.ts': [],
      'presets.ts': [],
      'signing-in-again.ts': [],
    })
    expect(unknownMember).to.have.length(1)
    expect(unknownMember![0]).to.match(/^5: Property 'token' does not exist on type 'Request/)
  })

  it("with 'express-pkce-flow/req-token' req.token is a Token or undefined", () => {
    expect(check('req-token/tsconfig.json')).to.deep.equal({ 'req-token/request.ts': [] })
  })
})
