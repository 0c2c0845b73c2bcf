import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { anchorsOf, root, texts } from './guides.ts'

const folder = join(root, 'src/doctor')
const source = readdirSync(folder)
  .map((name) => readFileSync(join(folder, name), 'utf8'))
  .join('\n')

const all = (text: string, pattern: RegExp) =>
  Array.from(text.matchAll(pattern), ([, it = '']) => it)

describe('guide troubleshooting.md: ask the doctor', () => {
  const text = texts.get('docs/troubleshooting.md')!.split(/^(?=## )/m)[1]!
  const codes = all(source, /^ {2}\| '(\w+)'$/gm)

  it('has a row for every finding, and for no other', () => {
    expect(codes).to.have.length(19)
    expect(all(text, /^\| `(\w+)`/gm)).to.deep.equal(codes)
  })

  it('says of each who is at fault, as the finding does', () => {
    const documented = Array.from(text.matchAll(/^\| `(\w+)` .*\| (\w+) +\|$/gm))
    for (const [, code = '', atFault = ''] of documented)
      expect(source).to.match(
        new RegExp(`code: '${code}',\\s+atFault: ('${atFault}'|.*: '${atFault}',)`),
      )
    expect(documented).to.have.length(codes.length)
  })

  it('every finding leads to a heading that is there', () => {
    const guides = all(source, /guide: '([^']*)'/g)
    expect(guides).to.have.length(codes.length)
    for (const guide of guides) {
      const [path = '', anchor = ''] = guide.split('#')
      expect(anchorsOf(path), guide).to.include(anchor)
    }
  })
})
