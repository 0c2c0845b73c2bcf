/**
 * What a whole login costs: CPU time (user and system) of the app's process, from GET /login over
 * the callback to the first page that has the token. This package (`package-app.ts`) against the
 * same flow written by hand with openid-client and its signature check (`by-hand-app.ts`), 2 kB of
 * tokens, MemoryStore, both against the same authorization server.
 *
 * The authorization server, each app and the browsers (this process) are processes of their own;
 * an app is asked for its CPU time before and after each round. Within a round the two apps take
 * turns of a few logins, so that whatever else happens on the machine meets both: on a shared one
 * the ratio spreads less than with whole rounds in turns. The ratio is taken within each round, and
 * medians are reported, since a busy neighbour spoils single rounds. Every login must end signed in
 * as the right person, with a token, or the run fails.
 *
 * To repeat it: `npm run bench`, or
 *
 *     npm run build && npx tsx bench/login.ts [--rounds 15] [--logins 300] [--json figures.json]
 *
 * `--control` compares the app written by hand with itself: the median ratio says how far the
 * harness is off, its spread how much noise the machine makes. `--cpu-prof DIRECTORY` writes a CPU
 * profile of each app (figures of such a run are of no use).
 */
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startServerProcess, type ServerProcess } from './child-process.ts'
import { subjectCookie, tokenLength } from './registration.ts'
import { formatTable, summarize, type Figures } from './summary.ts'
import { createConnections, createUserAgent } from './user-agent.ts'

const concurrency = 4
const loginsPerTurn = 12
const warmUpLogins = 2_000
const timeLimit = 15 * 60_000

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    logins: { type: 'string', default: '300' },
    json: { type: 'string' },
    control: { type: 'boolean', default: false },
    'cpu-prof': { type: 'string' },
  },
})
const rounds = countOf('rounds', 1_000)
const logins = countOf('logins', 10_000)
const contenders = flags.control
  ? { 'by hand': './by-hand-app.ts', 'by hand again': './by-hand-app.ts' }
  : { 'by hand': './by-hand-app.ts', 'this package': './package-app.ts' }

interface MeasuredApp {
  name: string
  app: ServerProcess
  /** CPU microseconds per login, a figure per round. */
  costs: number[]
}

const connections = createConnections(concurrency)
const running: ServerProcess[] = []
let people = 0

setTimeout(() => {
  console.error(`Not finished within ${timeLimit / 60_000} minutes.`)
  // The children end with the IPC channel.
  process.exit(1)
}, timeLimit).unref()

try {
  const figures = await compare()
  console.log(formatTable(figures))
  if (flags.json !== undefined)
    writeFileSync(flags.json, `${JSON.stringify(describeRun(figures), null, 2)}\n`)
} finally {
  await Promise.all(running.map((server) => server.stop()))
  connections.destroy()
}

async function compare(): Promise<Figures> {
  const authorizationServer = await start('./authorization-server.ts')
  const nodeOptions =
    flags['cpu-prof'] === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${flags['cpu-prof']}`]
  const apps: MeasuredApp[] = []
  for (const [name, file] of Object.entries(contenders)) {
    const app = await start(file, { args: [authorizationServer.origin], nodeOptions })
    apps.push({ name, app, costs: [] })
  }

  await logInByTurns(warmUpLogins, apps, authorizationServer.origin)
  for (let round = 0; round < rounds; round += 1) {
    const before = await Promise.all(apps.map(({ app }) => app.cpuMicroseconds()))
    await logInByTurns(logins, apps, authorizationServer.origin)
    // What an app puts off until after its answer counts too.
    await sleep(20)
    const after = await Promise.all(apps.map(({ app }) => app.cpuMicroseconds()))
    for (const [index, { costs }] of apps.entries())
      costs.push(((after[index] ?? NaN) - (before[index] ?? NaN)) / logins)
  }
  return summarize(apps)
}

async function start(...args: Parameters<typeof startServerProcess>): Promise<ServerProcess> {
  const server = await startServerProcess(...args)
  running.push(server)
  return server
}

/** So many logins at each app, a few at a time here, then there. */
async function logInByTurns(
  times: number,
  apps: readonly MeasuredApp[],
  issuer: string,
): Promise<void> {
  for (let done = 0; done < times; done += loginsPerTurn) {
    // Who begins alternates too, so that neither always comes second.
    const turn = (done / loginsPerTurn) % 2 === 0 ? apps : apps.toReversed()
    for (const { app } of turn)
      await logInTimes(Math.min(loginsPerTurn, times - done), app.origin, issuer)
  }
}

async function logInTimes(times: number, appOrigin: string, issuer: string): Promise<void> {
  let left = times
  async function logInWhileLeft(): Promise<void> {
    while (left > 0) {
      left -= 1
      await logIn(appOrigin, issuer)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, logInWhileLeft))
}

/** A new person logs in; throws unless that person arrives, with a token. */
async function logIn(appOrigin: string, issuer: string): Promise<void> {
  people += 1
  const subject = `user-${String(people).padStart(8, '0')}`
  const userAgent = createUserAgent(connections)
  userAgent.setCookie(issuer, subjectCookie, subject)
  const page = await userAgent.open(`${appOrigin}/login`)
  const expected = JSON.stringify({ sub: subject, tokenLength: tokenLength.access })
  if (page.status !== 200 || page.url !== `${appOrigin}/` || page.body !== expected)
    throw new Error(
      `The login of ${subject} ended at ${page.url} with ${page.status}: ${page.body.slice(0, 500)}`,
    )
}

function countOf(name: 'rounds' | 'logins', most: number): number {
  const count = Number(flags[name])
  if (!Number.isInteger(count) || count < 1 || count > most)
    throw new Error(`--${name} must be a whole number from 1 to ${most}.`)
  return count
}

function describeRun(figures: Figures): Record<string, unknown> {
  return {
    measure: 'CPU of a whole login in the process of the app, microseconds',
    date: new Date().toISOString(),
    node: process.version,
    processor: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
    settings: { rounds, logins, loginsPerTurn, warmUpLogins, concurrency, tokenLength },
    ...figures,
  }
}
