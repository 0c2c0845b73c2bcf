import { runJobs } from './jobs.js'
import { mochaCommand } from './mocha-command.js'
import { packOnce } from './pack.js'

// The suite on the other supported pairs of Node and Express, and the package with what else projects
// have. `node test/matrix.js --all` takes every pair, `--whole` leaves nothing but browsers out.

const npx = (...packages) => ['npx', '-y', ...packages.flatMap((name) => ['-p', name])]

// Browsers care for neither Node nor Express; locks and processes, which take long, hardly do; generated
// input takes longer still. Compilers have jobs of their own.
const types = ['test/typescript.test.ts', 'test/types.test.ts']
const elsewhere = ['test/browser/**', ...types]
const leftOut = [
  ...elsewhere,
  'test/generated/**',
  'test/processes/**',
  'test/storage/locks.test.ts',
]
const without = process.argv.includes('--whole') ? elsewhere : leftOut

// Modules that Node requires pass a hook by; tsx without /esm makes them such that do not.
const express4 = ['tsx', './test/support/express-4.js']

// The oldest of both, the newest Node; then what lies between.
const pairs = [
  { node: '20.19', express: '4' },
  { node: '24', express: '5' },
]
if (process.argv.includes('--all'))
  pairs.push(
    { node: '22', express: '5' },
    { node: '22', express: '4' },
    { node: '20.19', express: '5' },
    { node: '24', express: '4' },
  )

/** Compilers beside that of this repository, which `npm test` takes. */
const compilers = ['5.9', '6.0']

/** The lowest versions of the peer dependencies' ranges, and once a test runner that is large. */
const peers = [
  ['express@4.18.0', 'express-session@1.18.0'],
  ['express@5.0.0', 'express-session@1.18.0', 'jest@30.5.2'],
]

process.env.SUITE_TARBALL = packOnce()

await runJobs([
  ...pairs.map(({ node, express }) => ({
    name: `tests on Node ${node} and Express ${express}`,
    command: mochaCommand({
      node: [...npx(`node@${node}`), 'node'],
      hooks: express === '4' ? express4 : undefined,
      without,
    }),
    env: { SUITE_EXPRESS: express, SUITE_NODE: node },
    isSuite: true,
  })),
  ...compilers.map((version) => ({
    name: `the package and TypeScript ${version}`,
    command: mochaCommand({ node: [...npx(`typescript@${version}`), 'node'], files: types }),
    env: { SUITE_TYPESCRIPT: version },
    isSuite: true,
  })),
  ...peers.map((versions) => ({
    name: `the package and ${versions.join(', ')}`,
    command: [
      ...mochaCommand({ files: ['test/consumers.test.ts', 'test/stranger.test.ts'] }),
      ...['-g', 'is beside|node:test|jest|stranger'],
    ],
    env: { SUITE_PEERS: versions.join(' ') },
    isSuite: true,
  })),
  {
    name: 'how the package’s types are found',
    command: [
      ...npx('@arethetypeswrong/cli@0.18.5'),
      ...['attw', '--profile', 'esm-only', process.env.SUITE_TARBALL],
    ],
  },
])
