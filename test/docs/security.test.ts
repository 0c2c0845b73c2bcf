import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect } from 'chai'
import ts from 'typescript'

const root = resolve(import.meta.dirname, '../..')
const text = readFileSync(resolve(root, 'SECURITY.md'), 'utf8')

/** A test that SECURITY.md names: `[P6](test/….test.ts): title`, or a row without its title. */
interface NamedTest {
  id: string
  file: string
  title: string | undefined
}

const advisories = text.slice(text.indexOf('\n## Advisories'))
const tableRows = advisories
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(2) // its heading
  .map((line) => line.slice(2, -2).split(' | '))

function namedTests(cell: string): NamedTest[] {
  return cell.split('<br>').map((item) => {
    const [, id = '', file = '', title] =
      /^\[([^\]]+)\]\((test\/[^)]+)\)(?:: (.+))?$/.exec(item) ?? []
    return { id, file, title }
  })
}

/** A string, or a template with `…` for what is put in; undefined for anything else. */
function titleIn(node: ts.Node | undefined): string | undefined {
  if (node === undefined) return undefined
  if (ts.isStringLiteralLike(node)) return node.text
  if (!ts.isTemplateExpression(node)) return undefined
  return node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('')
}

function memberOf(node: ts.ObjectLiteralExpression, name: string): ts.Node | undefined {
  return node.properties
    .filter(ts.isPropertyAssignment)
    .find((property) => property.name.getText() === name)?.initializer
}

const titlesByFile = new Map<string, Set<string>>()

/** Titles of `it(…)`, and `id: title` and `id` of the rows, in a file of tests. */
function titlesOf(file: string): Set<string> {
  const titles = titlesByFile.get(file) ?? new Set<string>()
  if (titlesByFile.has(file)) return titles
  titlesByFile.set(file, titles)

  function visit(node: ts.Node) {
    if (ts.isCallExpression(node) && node.expression.getText() === 'it') {
      const title = titleIn(node.arguments[0])
      if (title !== undefined) titles.add(title)
    }
    if (ts.isObjectLiteralExpression(node)) {
      const id = titleIn(memberOf(node, 'id'))
      const title = titleIn(memberOf(node, 'title'))
      if (id !== undefined) titles.add(id)
      if (id !== undefined && title !== undefined) titles.add(`${id}: ${title}`)
    }
    ts.forEachChild(node, visit)
  }

  const source = readFileSync(resolve(root, file), 'utf8')
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true))
  return titles
}

describe('SECURITY.md', () => {
  it('has a table of advisories, with what went wrong, why not here, and the tests', () => {
    expect(tableRows.length).to.be.at.least(25)
    for (const row of tableRows) expect(row, row[0]).to.have.lengthOf(4)
  })

  it('links every advisory that it names to the place where it is published', () => {
    for (const [what, published = ''] of tableRows) {
      const links = [...published.matchAll(/\[([^\]]+)\]\(([^)]+)\)/g)]
      expect(links, what).not.to.be.empty
      for (const [, name = '', url] of links)
        expect(url, what).to.equal(
          name.startsWith('CVE-')
            ? `https://nvd.nist.gov/vuln/detail/${name}`
            : `https://github.com/advisories/${name}`,
        )
    }
    const named = advisories.match(/\b(CVE-\d{4}-\d{4,}|GHSA(-[0-9a-z]{4}){3})\b/g) ?? []
    for (const name of named) expect(advisories).to.include(`[${name}](`)
  })

  for (const [what = '', , , cell = ''] of tableRows)
    it(`shows by tests that there are: ${what}`, () => {
      for (const { id, file, title } of namedTests(cell)) {
        expect(existsSync(resolve(root, file)), `a link to a test: ${cell}`).to.equal(true)
        const isNumbered = /^([PCD]-?\d|A\d )/.test(id)
        const full = [isNumbered ? id : '', title].filter(Boolean).join(': ')
        expect(titlesOf(file), file).to.include(full)
      }
    })

  it('can be found: the README links to it', () => {
    expect(readFileSync(resolve(root, 'README.md'), 'utf8')).to.include('(SECURITY.md)')
  })

  it('links to nothing in this repository that is not there', () => {
    const links = Array.from(text.matchAll(/\]\((?!https:|#)([^)#]+)/g), ([, path = '']) => path)
    expect(links.filter((path) => !existsSync(resolve(root, path)))).to.deep.equal([])
  })
})
