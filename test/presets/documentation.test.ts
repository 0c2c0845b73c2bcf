import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import * as presets from '../../src/presets/index.ts'

const root = join(import.meta.dirname, '../..')
const text = readFileSync(join(root, 'docs/presets.md'), 'utf8')

/** Rows of the table: cells by column. */
const rows = text
  .split('\n')
  .filter((line) => /^\|\s*`/.test(line))
  .map((line) => line.split('|').slice(1, -1))
  .map((cells) => cells.map((cell) => cell.trim()))

const made = {
  ...Object.fromEntries(
    Object.entries(presets).map(([name, make]) => [
      name,
      () => (make as (given: object) => presets.Preset)({}),
    ]),
  ),
  auth0: () => presets.auth0({ domain: 'a.example' }),
  okta: () => presets.okta({ domain: 'a.example' }),
  keycloak: () => presets.keycloak({ host: 'a.example', realm: 'a' }),
  microsoft: () => presets.microsoft({ tenant: 'common' }),
} as Record<keyof typeof presets, () => presets.Preset>

describe('docs/presets.md', () => {
  it('lists exactly the presets that are exported', () => {
    expect(rows.map(([name]) => name)).to.deep.equal(
      Object.keys(presets)
        .sort()
        .map((name) => `\`${name}\``),
    )
  })

  for (const [name = '', , , refresh, revocation, pkce, profile = '', documentation] of rows)
    it(`${name}: says what it can do as its data do, and where that is from`, () => {
      const preset = made[name.replaceAll('`', '') as keyof typeof presets]()
      const without = preset.without ?? []
      expect(revocation).to.equal(without.includes('revocation') ? 'no' : 'yes')
      expect(pkce === 'not documented').to.equal(without.includes('pkce'))
      expect(refresh).to.match(without.includes('refresh') ? /^none/ : /\w/)
      for (const scope of preset.scope ?? []) expect(refresh).to.include(`\`${scope}\``)
      if (preset.dialect?.profile === undefined) expect(profile).to.equal('OpenID Connect')
      else expect(profile).to.include(preset.userinfo_endpoint?.replace('https://', ''))
      expect(documentation).to.match(/\]\(https:\/\//)
    })

  it('every address is in the docstring of its preset', () => {
    for (const [name = '', ...cells] of rows) {
      const path = join(root, 'src/presets', `${name.replaceAll('`', '')}.ts`)
      const source = readFileSync(path, 'utf8')
      for (const [, address = ''] of (cells.at(-1) ?? '').matchAll(/\]\((https:[^)]+)\)/g))
        expect(source, name).to.include(address)
      expect(source, name).to.match(/\(2026-\d\d\)/)
    }
  })

  it('says what a person may miss, and why', () => {
    const [, leftOut = ''] = text.split('Two that you may miss are left out')
    expect(
      [...leftOut.matchAll(/^- \*\*(\w+)\*\*: .{80,}/gm)].map(([, name]) => name),
    ).to.deep.equal(['LinkedIn', 'Facebook'])
  })

  it('says what is not documented, of presets that there are, as their docstrings do', () => {
    const [, unsure = ''] = /## What is not documented([^#]*)/.exec(text) ?? []
    const names = [...unsure.matchAll(/^- \*\*(\w+)\*\*/gm)].map(([, name]) => name)
    expect(names).to.include.members(['github', 'x', 'zoom', 'salesforce'])
    for (const name of names)
      expect(readFileSync(join(root, `src/presets/${name}.ts`), 'utf8')).to.match(
        /not documented|Not documented|its place in the ID Token is not/,
      )
  })

  it('every preset has a file of its own', () => {
    const shared = ['index.ts', 'arguments.ts', 'define-preset.ts']
    const files = readdirSync(join(root, 'src/presets')).filter((file) => !shared.includes(file))
    expect(files.sort()).to.deep.equal(
      Object.keys(presets)
        .sort()
        .map((name) => `${name}.ts`),
    )
  })
})
