import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// Runs the suite on every supported pair of Node and Express, and says as its last line how many tests
// passed and failed in all. `node test/matrix.js NAME…` runs the named ones only, `--whole` leaves
// nothing but browsers out of the second and third.

const mocha = join('node_modules', 'mocha', 'bin', 'mocha.js')
const c8 = join('node_modules', 'c8', 'bin', 'c8.js')
const arguments_ = process.argv.slice(2)
// Browsers care for neither Node nor Express; locks and processes, which take long, hardly do.
const leftOut = ['test/browser/**', 'test/processes/**', 'test/storage/locks.test.ts']
const excluded = arguments_.includes('--whole') ? leftOut.slice(0, 1) : leftOut
const elsewhere = excluded.flatMap((files) => ['--exclude', files])
// Modules that Node requires pass the hook by; tsx without /esm makes them such that do not.
const { spec, reporter, timeout } = JSON.parse(readFileSync('.mocharc.json', 'utf8'))
const onExpress4 = [
  '--no-config',
  ...['--node-option', 'import=tsx', '--node-option', 'import=./test/support/express-4.js'],
  ...['--reporter', reporter, '--timeout', String(timeout), '--fail-zero', '--forbid-only', spec],
]
const onNode = (version) => ['npx', '-y', '-p', `node@${version}`, 'node']

// Which pairs: today's, the oldest of both, the newest Node.
const runs = {
  'this Node, Express 5, with browsers and coverage': {
    express: '5',
    command: [process.execPath, c8, process.execPath, mocha],
  },
  'Node 20.19, Express 4.21': {
    express: '4',
    node: '20.19',
    command: [...onNode('20.19'), mocha, ...onExpress4, ...elsewhere],
  },
  'Node 24, Express 5': {
    express: '5',
    node: '24',
    command: [...onNode('24'), mocha, ...elsewhere],
  },
}

const chosen = arguments_.filter((argument) => argument !== '--whole')
const total = { passes: 0, failures: 0, pending: 0 }
let failed = false

/** Runs the suite on one pair and adds up its counts; what it prints comes at its end, in one piece. */
async function run([name, { command, express, node = '' }], stdio = 'pipe') {
  if (chosen.length > 0 && !chosen.some((part) => name.includes(part))) return
  const folder = mkdtempSync(join(tmpdir(), 'suite-'))
  const counts = join(folder, 'counts.json')
  const env = { SUITE_COUNTS: counts, SUITE_EXPRESS: express, SUITE_NODE: node }
  const heading = `\n# ${name}\n`
  const printed = []
  if (stdio === 'inherit') console.log(heading)
  const code = await new Promise((resolve) => {
    const suite = spawn(command[0], command.slice(1), { stdio, env: { ...process.env, ...env } })
      .on('close', (status) => resolve(status ?? 1))
      .on('error', () => resolve(1))
    for (const stream of [suite.stdout, suite.stderr])
      stream?.setEncoding('utf8').on('data', (text) => printed.push(text))
  })
  if (stdio !== 'inherit') console.log(heading + printed.join(''))
  if (code !== 0) failed = true
  try {
    const { passes, failures, pending } = JSON.parse(readFileSync(counts, 'utf8'))
    total.passes += passes
    total.failures += failures
    total.pending += pending
  } catch {
    console.log(`${name}: the suite did not run to its end`)
    failed = true
  }
  rmSync(folder, { recursive: true })
}

// Browsers and a dozen processes need both cores; the others are one process each, mostly.
const [first, ...others] = Object.entries(runs)
await run(first, 'inherit')
await Promise.all(others.map((other) => run(other)))

// A run can fail without a failing test: coverage, or a Node that could not be had.
const failures = total.failures === 0 && failed ? 1 : total.failures
console.log(
  `\n${total.passes} passed, ${failures} failed${total.pending > 0 ? `, ${total.pending} skipped` : ''}`,
)
process.exitCode = failures === 0 ? 0 : 1
