import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { runJobs } from './jobs.js'
import { mochaCommand } from './mocha-command.js'

// All that `npm test` checks, on this Node and Express 5. The suite goes in lanes, the slowest first.

const bin = (name, ...path) => [process.execPath, join('node_modules', name, ...path)]
const coverage = join('coverage', 'tmp')
rmSync(coverage, { recursive: true, force: true })

// Counting what is covered slows it by a fifth, and the others cover the same.
const uncounted = 'with generated input'

const lanes = {
  [uncounted]: ['test/generated/**/*.test.ts'],
  'in browsers': ['test/browser/**/*.test.ts'],
  'in several processes, packed, documented': [
    'test/processes/**/*.test.ts',
    'test/storage/locks.test.ts',
    'test/docs/**/*.test.ts',
    'test/manager/**/*.test.ts',
    'test/*.test.ts',
  ],
  'of what fails': ['test/hostile/**/*.test.ts'],
}
const elsewhere = Object.values(lanes).flat()

const suites = [
  ['of everything else', mochaCommand({ without: elsewhere })],
  ...Object.entries(lanes).map(([name, files]) => [name, mochaCommand({ files })]),
].map(([name, command]) => ({
  name: `tests ${name}`,
  command,
  env: { SUITE_EXPRESS: '5', ...(name !== uncounted && { NODE_V8_COVERAGE: coverage }) },
  isSuite: true,
}))

await runJobs(
  [
    ...suites,
    { name: 'types', command: bin('typescript', 'bin', 'tsc') },
    { name: 'lint', command: [...bin('eslint', 'bin', 'eslint.js'), '.'] },
    { name: 'format', command: [...bin('prettier', 'bin', 'prettier.cjs'), '--check', '.'] },
    { name: 'unused', command: bin('knip', 'bin', 'knip.js') },
  ],
  {
    name: 'coverage',
    command: [...bin('c8', 'bin', 'c8.js'), 'report', '--temp-directory', coverage],
  },
)
