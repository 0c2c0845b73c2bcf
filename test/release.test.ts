import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { expect } from 'chai'

const root = resolve(import.meta.dirname, '..')
const script = join(root, '.ci/release.js')

const home = 'https://github.example/someone/flow'
const changelog = '# Changelog\n\n## Unreleased\n\n## 1.2.3\n\n### Added\n\n- A thing.\n'

describe('a release', () => {
  let folder: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'release-'))
    // An npm that publishes nothing, and says what it was asked for.
    await writeFile(join(folder, 'npm'), '#!/bin/sh\necho "npm $*"\n')
    await chmod(join(folder, 'npm'), 0o755)
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  /** Releases a package; gives what was printed, and package.json as it was published. */
  async function release(
    tag: string,
    more: object = {},
    changes = changelog,
    flags: string[] = [],
  ) {
    const manifest = join(folder, 'package.json')
    await writeFile(manifest, JSON.stringify({ name: 'flow', version: '1.2.3', ...more }))
    await writeFile(join(folder, 'CHANGELOG.md'), changes)
    const env = {
      PATH: [folder, process.env['PATH'] ?? ''].join(delimiter),
      GITHUB_SERVER_URL: 'https://github.example',
      GITHUB_REPOSITORY: 'someone/flow',
    }
    const output = await new Promise<string>((done) => {
      execFile(process.execPath, [script, tag, ...flags], { cwd: folder, env }, (_, ...printed) =>
        done(printed.join('')),
      )
    })
    return { output, manifest: JSON.parse(await readFile(manifest, 'utf8')) as object }
  }

  it('is published with provenance, and says where it is from', async () => {
    const { output, manifest } = await release('v1.2.3')
    expect(output).to.equal('npm publish --provenance --access public --tag latest\n')
    expect(manifest).to.deep.equal({
      name: 'flow',
      version: '1.2.3',
      repository: { type: 'git', url: `git+${home}.git` },
      bugs: `${home}/issues`,
      homepage: `${home}#readme`,
    })
  })

  it('that is a pre-release is not what npm installs when nobody asks for it', async () => {
    const changes = changelog.replace('1.2.3', '1.2.3-beta.1')
    const { output } = await release('v1.2.3-beta.1', { version: '1.2.3-beta.1' }, changes)
    expect(output).to.match(/--tag next$/m)
  })

  it('can be checked without being published', async () => {
    const { output, manifest } = await release('v1.2.3', {}, changelog, ['--check'])
    expect(output).to.equal('')
    expect(manifest).not.to.have.property('repository')
  })

  const refused: [string, RegExp, ...Parameters<typeof release>][] = [
    ['with the tag of another version', /^The tag is v1\.2\.4; .* is v1\.2\.3\.$/m, 'v1.2.4'],
    [
      'that the changelog does not know',
      /^CHANGELOG\.md says nothing of 1\.2\.3\.$/m,
      ...(['v1.2.3', {}, '# Changelog\n\n## 1.2.30\n\n- A thing.\n'] as const),
    ],
    [
      'whose changes are in no version',
      /^CHANGELOG\.md has changes that are "Unreleased"/m,
      ...(['v1.2.3', {}, changelog.replace('eased\n', 'eased\n\n- Another.\n')] as const),
    ],
    [
      'of another repository',
      /^package\.json names the repository git\+https:\/\/else\.example\/flow\.git/m,
      ...(['v1.2.3', { repository: { url: 'git+https://else.example/flow.git' } }] as const),
    ],
  ]
  for (const [what, message, ...release_] of refused)
    it(`${what} is refused`, async () => {
      const { output } = await release(...release_)
      expect(output).to.match(message)
      expect(output).not.to.include('npm ')
    })
})

describe('workflows', () => {
  const folder = join(root, '.github/workflows')
  const read = async () =>
    Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')))

  it('run actions as they are now, whatever becomes of their tags', async () => {
    const used = (await read()).flatMap((text) => [...text.matchAll(/uses: (.*)$/gm)])
    const others = used.map(([, action = '']) => action).filter((action) => !/^\.\//.test(action))
    expect(others.length).to.be.greaterThan(2)
    for (const action of others) expect(action).to.match(/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
  })

  it('know no secret, and may write nothing here', async () => {
    for (const text of await read()) {
      expect(text).not.to.match(/secrets|TOKEN/)
      const permissions = Array.from(text.matchAll(/^ +([\w-]+): write$/gm), ([, name]) => name)
      expect(permissions).to.deep.equal(text.includes('.ci/release.js') ? ['id-token'] : [])
    }
  })
})
