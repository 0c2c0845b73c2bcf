import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { runJobs } from './jobs.js'
import { mochaCommand } from './mocha-command.js'
import { packOnce } from './pack.js'

// All that `npm test` checks, on this Node and Express 5. The suite goes in lanes, the longest first,
// and so that at any time one of them keeps a core busy beside those that wait for others.

const bin = (name, ...path) => [process.execPath, join('node_modules', name, ...path)]
const coverage = join('coverage', 'tmp')
rmSync(coverage, { recursive: true, force: true })
process.env.SUITE_TARBALL = packOnce()

const rest = [] // what no other lane has
const lanes = {
  'in browsers': ['test/browser/**/*.test.ts'],
  'with generated input, M to Z': ['test/generated/[m-z]*.test.ts'],
  'of each part': rest,
  'in several processes, packed, documented': [
    'test/processes/**/*.test.ts',
    'test/docs/**/*.test.ts',
    ...['consumers', 'exports', 'stranger', 'types', 'typescript'].map(
      (name) => `test/${name}.test.ts`,
    ),
  ],
  'with generated input, A to L': ['test/generated/[a-l]*.test.ts'],
  'of promises and requirements': ['test/promises/**/*.test.ts', 'test/requirements/**/*.test.ts'],
  'of what fails': ['test/hostile/**/*.test.ts'],
}

const suites = Object.entries(lanes).map(([name, files]) => ({
  name: `tests ${name}`,
  command: mochaCommand(files === rest ? { without: Object.values(lanes).flat() } : { files }),
  // To count what is covered takes a third more: these are those that have to cover everything.
  env: { SUITE_EXPRESS: '5', ...(files === rest && { NODE_V8_COVERAGE: coverage }) },
  isSuite: true,
}))

await runJobs(
  [
    ...suites,
    { name: 'types', command: bin('typescript7', 'bin', 'tsc') },
    { name: 'lint', command: ['npm', 'run', '-s', 'lint'] },
    { name: 'format', command: [...bin('oxfmt', 'bin', 'oxfmt'), '--check'] },
    { name: 'unused', command: bin('knip', 'bin', 'knip.js') },
  ],
  {
    name: 'coverage',
    command: [...bin('c8', 'bin', 'c8.js'), 'report', '--temp-directory', coverage],
  },
)
