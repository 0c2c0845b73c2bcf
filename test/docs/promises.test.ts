import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect } from 'chai'

const docs = resolve(import.meta.dirname, '../../docs')

describe('the guide to the promises', () => {
  const rows = readFileSync(join(docs, 'promises.md'), 'utf8')
    .split('\n')
    .map((line) => /^\| P(\d+) .*\]\(([^)]+)\)/.exec(line))
    .filter((row) => row !== null)

  it('has all of them, in order', () => {
    const numbers = Array.from({ length: 17 }, (_, index) => String(index + 1))
    expect(rows.map(([, number]) => number)).to.deep.equal(numbers)
  })

  for (const [, number = '', file = ''] of rows)
    it(`P${number} is shown by tests with its number`, () => {
      expect(readFileSync(join(docs, file), 'utf8')).to.include(`P${number}: `)
    })
})
