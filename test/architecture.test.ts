import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { expect } from 'chai'
import ts from 'typescript'

const root = resolve(import.meta.dirname, '../src')

interface Source {
  /** Below src. */
  path: string
  lines: number
  /** Modules that it imports or re-exports from: paths below src, and names of packages. */
  imports: string[]
  /** Names of members that it reads, by a dot or by destructuring. */
  members: Set<string>
}

function readSource(path: string): Source {
  const text = readFileSync(join(root, path), 'utf8')
  const imports: string[] = []
  const members = new Set<string>()

  function visit(node: ts.Node) {
    if (ts.isStringLiteral(node) && isModuleName(node)) imports.push(target(path, node.text))
    if (ts.isPropertyAccessExpression(node)) members.add(node.name.text)
    if (ts.isElementAccessExpression(node) && ts.isStringLiteral(node.argumentExpression))
      members.add(node.argumentExpression.text)
    if (ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent))
      members.add((node.propertyName ?? node.name).getText())
    ts.forEachChild(node, visit)
  }

  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true))
  return { path, lines: text.split('\n').length - 1, imports, members }
}

/** Of import, export … from, import() and import types. */
function isModuleName({ parent }: ts.StringLiteral): boolean {
  return (
    ts.isImportDeclaration(parent) ||
    ts.isExportDeclaration(parent) ||
    (ts.isCallExpression(parent) && parent.expression.kind === ts.SyntaxKind.ImportKeyword) ||
    (ts.isLiteralTypeNode(parent) && ts.isImportTypeNode(parent.parent))
  )
}

function target(from: string, specifier: string): string {
  return specifier.startsWith('.') ? join(dirname(from), specifier) : specifier
}

const sources = readdirSync(root, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => readSource(relative(root, join(entry.parentPath, entry.name))))

const package_ = sources.filter(({ path }) => !path.startsWith('testing/'))

/** Room of a file below src, or of a package. */
function room(path: string): string {
  const folder = /^(protocol|storage|http|doctor|manager|presets|options|testing)\//.exec(path)?.[1]
  if (folder !== undefined) return folder
  return path.endsWith('.ts')
    ? path.replace(/\.ts$/, '')
    : `npm:${path.replace(/^jose\/.*/, 'jose')}`
}

/** What each room may import beside itself (docs/architecture.md). */
const arrows: Record<string, readonly string[]> = {
  index: ['pkce-flow', 'http', 'doctor', 'manager', 'options', 'errors', 'token'],
  'pkce-flow': ['http', 'doctor', 'options', 'errors', 'token', 'npm:express'],
  http: [
    ...['protocol', 'storage', 'options', 'errors', 'return-to', 'secure-url', 'token'],
    ...['npm:express', 'npm:express-session'],
  ],
  doctor: ['http', 'protocol', 'storage', 'options', 'errors', 'npm:express'],
  manager: ['protocol', 'options', 'errors', 'token'],
  protocol: ['options', 'errors', 'secure-url', 'npm:openid-client', 'npm:jose'],
  storage: ['options', 'errors'],
  options: ['errors', 'return-to', 'token', 'secure-url', 'npm:express', 'npm:openid-client'],
  presets: ['options', 'errors'],
  errors: [],
  token: [],
  'return-to': [],
  'secure-url': [],
  'req-token': ['token'],
}

describe('architecture (docs/architecture.md)', () => {
  it('every file of src is in a room that this test knows', () => {
    expect(package_.length).to.be.greaterThan(30)
    expect(package_.map(({ path }) => room(path)).filter((name) => !(name in arrows))).to.be.empty
  })

  for (const [from, allowed] of Object.entries(arrows))
    it(`${from} imports ${allowed.join(', ') || 'nothing'}`, () => {
      const wrong = package_
        .filter(({ path }) => room(path) === from)
        .flatMap(({ path, imports }) =>
          imports
            .filter((name) => !name.startsWith('node:'))
            .filter((name) => room(name) !== from && !allowed.includes(room(name)))
            .map((name) => `${path} imports ${name}`),
        )
      expect(wrong).to.be.empty
    })

  it('protocol and storage know neither each other nor Express', () => {
    const forbidden = {
      protocol: /^(storage|http)\/|^express/,
      storage: /^(protocol|http)\/|^expr/,
    }
    for (const [from, pattern] of Object.entries(forbidden))
      for (const { path, imports } of package_.filter((source) => room(source.path) === from))
        expect(
          imports.filter((name) => pattern.test(name)),
          path,
        ).to.be.empty
  })

  it('options take only types from Express and openid-client', () => {
    const wrong = package_
      .filter(({ path }) => room(path) === 'options')
      .flatMap(({ path }) =>
        readFileSync(join(root, path), 'utf8')
          .split('\n')
          .filter((line) => /from '(express|openid-client)'/.test(line))
          .filter((line) => !line.startsWith('import type'))
          .map((line) => `${path}: ${line}`),
      )
    expect(wrong).to.be.empty
  })

  it('only src/http/session.ts touches req.session', () => {
    const touching = package_
      .filter(({ members }) => ['session', 'sessionID', 'sessionStore'].some((n) => members.has(n)))
      .map(({ path }) => path)
    expect(touching).to.deep.equal(['http/session.ts'])
  })

  it('what users import does not import the test authorization server', () => {
    for (const { path, imports } of package_)
      expect(
        imports.filter((name) => room(name) === 'testing'),
        path,
      ).to.be.empty
  })

  it('the test kit needs jose and Node, and nothing of the package but the names of its errors', () => {
    const imported = sources
      .filter(({ path }) => room(path) === 'testing')
      .flatMap(({ imports }) => imports)
      .filter((name) => room(name) !== 'testing' && !name.startsWith('node:'))
    expect([...new Set(imported)]).to.have.members(['jose', 'errors.ts'])
  })

  it('no file imports in circles', () => {
    const importsOf = new Map(package_.map(({ path, imports }) => [path, imports]))
    const done = new Set<string>()

    function follow(path: string, trail: string[]) {
      if (trail.includes(path)) throw new Error([...trail, path].join(' -> '))
      if (done.has(path)) return
      for (const name of importsOf.get(path) ?? []) follow(name, [...trail, path])
      done.add(path)
    }

    for (const { path } of package_) follow(path, [])
  })

  it('the environment is read by apps, never by src', () => {
    const reading = sources.filter(({ members }) => members.has('env')).map(({ path }) => path)
    expect(reading).to.be.empty
  })

  it('index.ts re-exports and does nothing else', () => {
    const text = readFileSync(join(root, 'index.ts'), 'utf8')
    const { statements } = ts.createSourceFile('index.ts', text, ts.ScriptTarget.Latest, true)
    expect(statements.filter((statement) => !ts.isExportDeclaration(statement))).to.be.empty
  })

  it('no file is longer than 250 lines', () => {
    const long = package_
      .filter(({ lines }) => lines > 250)
      .map(({ path, lines }) => `${path}: ${lines}`)
    expect(long).to.be.empty
  })

  it('there is no drawer: utils, helpers, types, common', () => {
    const drawers = sources.filter(({ path }) =>
      /(^|\/)(utils?|helpers?|types|common)\.ts$/.test(path),
    )
    expect(drawers.map(({ path }) => path)).to.be.empty
  })
})
