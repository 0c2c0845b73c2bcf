import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { expect } from 'chai'
import { misbehaviours } from '../../src/testing/index.ts'
import { createDocsProject, type DocsProject, filesIn } from './docs-project.ts'

const tests = ['shortest.test.ts', 'fetch.test.ts', 'failures.test.ts', 'logout.test.ts']

describe('guide: Test your protected routes', function () {
  this.timeout(60_000)

  let project: DocsProject

  before(async () => {
    project = await createDocsProject(await filesIn('docs/testing.md'))
  })
  after(() => project.remove())

  for (const name of tests)
    it(`${name} passes`, async () => {
      const { code, output } = await project.test(name).ended
      expect(output).to.match(/^(#|ℹ) pass [1-9]/m)
      expect(code, output).to.equal(0)
    })

  it('names every misbehaviour, with what comes of it', async () => {
    const text = await readFile(resolve(import.meta.dirname, '../../docs/testing.md'), 'utf8')
    const table = text.slice(text.indexOf('\n## Misbehaviours\n'))
    const rows = Array.from(
      table.matchAll(/^\| `(.*?)` +\| (.*?) *\| (.*?) *\|$/gm),
      ([, ...cells]) => cells,
    )
    const expected = Object.entries(misbehaviours).map(([name, { summary, outcome }]) => [
      name,
      summary,
      { accepted: '', refused: '400 or 413' }[outcome as string] ?? `\`${outcome}\``,
    ])
    expect(rows).to.deep.equal(expected)
  })
})
