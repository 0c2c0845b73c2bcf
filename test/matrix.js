import { runJobs } from './jobs.js'
import { mochaCommand } from './mocha-command.js'

// The suite on the other supported pairs of Node and Express. `node test/matrix.js --whole` leaves
// nothing but browsers out.

// Browsers care for neither Node nor Express; locks and processes, which take long, hardly do; generated
// input takes longer still.
const leftOut = [
  'test/browser/**',
  'test/generated/**',
  'test/processes/**',
  'test/storage/locks.test.ts',
]
const without = process.argv.includes('--whole') ? leftOut.slice(0, 1) : leftOut

// Modules that Node requires pass a hook by; tsx without /esm makes them such that do not.
const express4 = ['tsx', './test/support/express-4.js']

// The oldest of both, the newest Node.
const pairs = [
  { node: '20.19', express: '4', hooks: express4 },
  { node: '24', express: '5' },
]

await runJobs(
  pairs.map(({ node, express, hooks }) => ({
    name: `tests on Node ${node} and Express ${express}`,
    command: mochaCommand({ node: ['npx', '-y', '-p', `node@${node}`, 'node'], hooks, without }),
    env: { SUITE_EXPRESS: express, SUITE_NODE: node },
    isSuite: true,
  })),
)
