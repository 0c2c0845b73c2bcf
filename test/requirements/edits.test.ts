import { join } from 'node:path'
import { expect } from 'chai'
import { allEdits, nothingToTakeOut } from './edits/all-edits.ts'
import { applied } from './edits/apply.ts'
import { testedRows } from './table.ts'

const source = join(import.meta.dirname, '../../src')

// That the tests fail with these edits is seen by falsify.ts, on demand: it takes many minutes.
describe('requirements: what makes their tests fail', () => {
  it('every edit still finds what it takes out, once', () => {
    for (const edit of allEdits) applied(edit, source)
  })

  it('every row that is tested has an edit, or a reason', () => {
    const edited = new Set(allEdits.flatMap(({ rows }) => rows))
    const known = [...edited, ...Object.keys(nothingToTakeOut)]
    expect([...known].sort()).to.deep.equal([...testedRows].sort())
  })

  it('no two edits are called the same', () => {
    const names = allEdits.map(({ what }) => what)
    expect(names.filter((name, at) => names.indexOf(name) < at)).to.deep.equal([])
  })
})
