import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'

/** One more than there are cores: what drives a browser or waits for a process leaves its core free. */
const atOnce = availableParallelism() + 1

const total = { passes: 0, failures: 0, pending: 0 }

/** Adds up what the reporter of a suite counted; a suite that did not reach its end counted nothing. */
function addUp(counts) {
  try {
    const { passes, failures, pending } = JSON.parse(readFileSync(counts, 'utf8'))
    total.passes += passes
    total.failures += failures
    total.pending += pending
    return failures
  } catch {
    return undefined
  }
}

/** Runs one command; what it prints comes at its end, in one piece. */
async function run({ name, command, env = {}, isSuite = false }) {
  const folder = mkdtempSync(join(tmpdir(), 'suite-'))
  const counts = join(folder, 'counts.json')
  const printed = []
  const started = performance.now()
  const code = await new Promise((resolve) => {
    const child = spawn(command[0], command.slice(1), {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, SUITE_COUNTS: counts, ...env },
    })
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => printed.push(text))
    child.on('close', (status) => resolve(status ?? 1)).on('error', () => resolve(1))
  })
  const seconds = Math.round((performance.now() - started) / 1000)
  console.log(`\n# ${name} (${seconds} s)\n${printed.join('')}`)
  const failures = isSuite ? addUp(counts) : 0
  rmSync(folder, { recursive: true })
  if (failures === undefined) console.log(`${name}: did not run to its end`)
  // A command can fail without a failing test: a type error, a Node that could not be had.
  if (code !== 0 && !failures) {
    console.log(`${name}: ended with ${code}`)
    total.failures += 1
  }
}

/**
 * Runs the commands, several at a time and in their order, and says as the last line how many tests
 * passed and failed in all.
 * @param {{ name: string, command: string[], env?: object, isSuite?: boolean }[]} jobs
 * @param {() => { name: string, command: string[] } | undefined} [last] what needs the results of all
 */
export async function runJobs(jobs, ...last) {
  const waiting = [...jobs]
  const worker = async () => {
    for (let job = waiting.shift(); job; job = waiting.shift()) await run(job)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  for (const job of last) await run(job)

  const { passes, failures, pending } = total
  console.log(`\n${passes} passed, ${failures} failed${pending > 0 ? `, ${pending} skipped` : ''}`)
  process.exitCode = failures === 0 ? 0 : 1
}
