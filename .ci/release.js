import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

// Publishes this folder's package to npm: `node .ci/release.js v1.2.3 [--check]`. It holds no secret;
// npm asks the CI that it runs in who that is. With --check nothing is published, nor changed.

const [tag, ...flags] = process.argv.slice(2)
const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
const { version } = manifest

/** What the changelog has below the heading of a version. */
function changesOf(name) {
  const sections = readFileSync('CHANGELOG.md', 'utf8').split(/^## /m).slice(1)
  const section = sections.find((text) => text.split('\n', 1)[0].split(' ', 1)[0] === name)
  return section?.split('\n').slice(1).join('\n').trim()
}

const problems = []
if (tag !== `v${version}`)
  problems.push(`The tag is ${tag ?? 'not given'}; that of package.json's version is v${version}.`)
if (!changesOf(version)) problems.push(`CHANGELOG.md says nothing of ${version}.`)
if (changesOf('Unreleased'))
  problems.push('CHANGELOG.md has changes that are "Unreleased": they belong to this version.')

// npm refuses provenance for a package that names another repository than the one it comes from.
const { GITHUB_SERVER_URL, GITHUB_REPOSITORY } = process.env
const home = GITHUB_REPOSITORY && `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}`
const named = manifest.repository?.url ?? manifest.repository
const url = `git+${home}.git`
if (home && named !== undefined && named !== url)
  problems.push(`package.json names the repository ${named}; this one is ${url}.`)

if (problems.length > 0) {
  console.error(problems.join('\n'))
  process.exit(1)
}

if (!flags.includes('--check')) {
  // Where a package is at home is known where it is released.
  if (home && named === undefined) {
    manifest.repository = { type: 'git', url }
    manifest.bugs ??= `${home}/issues`
    manifest.homepage ??= `${home}#readme`
    writeFileSync('package.json', `${JSON.stringify(manifest, null, 2)}\n`)
  }
  // A pre-release is for those who ask for it.
  const distTag = version.includes('-') ? 'next' : 'latest'
  const command = ['publish', '--provenance', '--access', 'public', '--tag', distTag]
  const { status } = spawnSync('npm', command, { stdio: 'inherit' })
  process.exitCode = status ?? 1
}
