import { expect } from 'chai'
import { createDocsProject, type DocsProject } from './docs-project.ts'
import { given } from './given.ts'
import { blocksOf, texts, type Block } from './guides.ts'

/** Texts whose blocks without a name are one program, from the first to the last, below one heading. */
const programs = [
  'docs/connect-gitlab.md',
  'docs/manager.md',
  'docs/moving-from-auth-js.md',
  'docs/moving-from-express-openid-connect.md',
  'docs/moving-from-passport.md',
  'docs/recipes.md',
  'docs/several-providers.md',
  'docs/sign-in-again.md',
]
const byHeading = 'docs/connect-gitlab.md'

/** The files that a reader would make of the TypeScript in a text. */
function filesOf(path: string, text: string): [name: string, code: string][] {
  const folder = path.replace(/\.md$/, '')
  const isTypeScript = ({ language }: Block) => language === 'ts'
  const sections = path === byHeading ? text.split(/^(?=## )/m) : [text]
  return sections.flatMap((section, nth) => {
    const blocks = blocksOf(section).filter(isTypeScript)
    const codes = blocks.filter(({ name }) => name === undefined).map(({ code }) => code)
    const unnamed = programs.includes(path) ? [codes.join('\n')] : codes
    return [
      ...blocks.flatMap(({ name, code }) => (name === undefined ? [] : [[name, code] as const])),
      ...unnamed.map((code, at) => [`block-${nth}-${at}.ts`, `${code}\nexport {}\n`] as const),
    ].map(([name, code]): [string, string] => [`${folder}/${name}`, code])
  })
}

describe('blocks of code in README and guides', function () {
  this.timeout(120_000)

  let project: DocsProject
  const files = Object.fromEntries([...texts].flatMap(([path, text]) => filesOf(path, text)))

  before(async () => {
    project = await createDocsProject({ ...given, ...files })
  })

  after(() => project.remove())

  it('there are many', () => {
    expect(Object.keys(files).length).to.be.greaterThan(30)
  })

  it('compile', async () => {
    expect(await project.check()).to.equal('')
  })
})
