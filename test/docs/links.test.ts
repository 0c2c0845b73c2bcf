import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect } from 'chai'
import { anchorsOf, proseOf, root, texts } from './guides.ts'

/** Links to this repository: from where, to where. */
const links = [...texts]
  .flatMap(([path, text]) =>
    Array.from(proseOf(text).matchAll(/\]\(([^)\s]+)\)/g), ([, target = '']) => ({ path, target })),
  )
  .filter(({ target }) => !/^[a-z]+:/.test(target))

describe('links in README and guides', () => {
  it('there are many', () => {
    expect(links.length).to.be.greaterThan(60)
  })

  it('lead to files that are there', () => {
    const broken = links.filter(({ path, target }) => {
      const [file = ''] = target.split('#')
      const place = join(dirname(path), file)
      return file !== '' && !existsSync(join(root, place))
    })
    expect(broken).to.deep.equal([])
  })

  it('lead to headings that are there', () => {
    const broken = links.filter(({ path, target }) => {
      const [file = '', anchor] = target.split('#')
      if (anchor === undefined) return false
      const place = file === '' ? path : normalize(join(dirname(path), file))
      return texts.has(place) && !anchorsOf(place).includes(anchor)
    })
    expect(broken).to.deep.equal([])
  })

  it('every guide is linked from the README', () => {
    const linked = links.filter(({ path }) => path === 'README.md').map(({ target }) => target)
    const guides = [...texts.keys()].filter((path) => path.startsWith('docs/'))
    expect(guides.filter((path) => !linked.includes(path))).to.deep.equal([])
  })
})
