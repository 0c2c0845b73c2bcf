// Mutation testing: changes the code in a thousand small ways, and sees whether a test notices each.
//
//   npm run mutation -- --rooms protocol,storage --sample 200 --seed 1
//
// Stryker's instrumenter makes the mutants, all of them in one copy of src, each behind a switch. Which
// of them are tried is drawn at random, so that the score of a sample is an honest estimate; --sample 0
// tries all, which takes a day. What it leaves out of Stryker is the test runner: most of our suites
// start an app in a hook before their tests, and Stryker counts what such a hook covers for whichever
// test ran before it. Here a test file is the unit, one process runs the files that cover a mutant,
// nearest first, until a test fails; only rows of the requirements are chosen one by one.
//
//   --rooms A,B     folders of src to draw from. Default: protocol,storage,http
//   --sample N      mutants to try. Default: 100
//   --seed S        of the draw. Default: 1
//   --jobs J        processes at a time. Default: 1
//   --out FILE      results as JSON, written after each mutant. Default: mutation.json
//   --again FILE    instead of a draw: what survived in results of before
//   --tests A,B     test files to measure and run. Default: those below
//   --budget S      seconds of tests a mutant, as long as they take without one: the nearest files that
//                   fit. What survives them may still die of the others. Default: 60
//   --alone         each mutant in a process of its own: slow, and shows that nothing is left over
//   --coverage FILE what the tests cover, kept from one run to the next while src is the same
//
// A mutant is killed when a test fails, also by the time limit of a test (tried twice, as a busy
// machine can do that, too); timed out when its process had to be ended (the same); an error when the
// test files cannot even be loaded with it, which counts for nothing.

import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { symlinkSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, delimiter, dirname, join, resolve } from 'node:path'
import { clearTimeout, setTimeout } from 'node:timers'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import ts from 'typescript'

/** Fast and strong: no services, browsers, child processes, thousands of generated cases. */
const testFolders = ['protocol', 'storage', 'http', 'promises', 'requirements', 'manager']
const alsoTests = ['test/presets/dialect.test.ts', 'test/options.test.ts']
const leftOut = /p16-all-paths|p09-rounds|edits\.test/

/** Those run only what nothing else covers, such as the locks, which need services. */
const slow =
  /locks\.test|stores\.test|p13-hostile|p08-one|hostile\.test|manager\/failures|connect-orders|p07-no/

const { values: given } = parseArgs({
  options: {
    rooms: { type: 'string', default: 'protocol,storage,http' },
    sample: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '1' },
    out: { type: 'string', default: 'mutation.json' },
    again: { type: 'string' },
    tests: { type: 'string' },
    budget: { type: 'string', default: '60' },
    coverage: { type: 'string' },
    alone: { type: 'boolean', default: false },
  },
})
const root = resolve(import.meta.dirname, '../..')
/** All of them have mutants, so that what is kept of coverage is good for each. */
const allRooms = ['protocol', 'storage', 'http']
const rooms = given.rooms.split(',')

/** npx puts what it has installed on the PATH, and nowhere else. */
function installedByNpx() {
  const folder = process.env.PATH.split(delimiter)
    .filter((path) => basename(path) === '.bin')
    .map((path) => dirname(path))
    .find((path) => existsSync(join(path, '@stryker-mutator/instrumenter')))
  if (folder === undefined) throw new Error('Run this by: npm run mutation')
  return createRequire(join(folder, 'x.js'))
}

async function createMutants(sandbox) {
  const require = installedByNpx()
  const load = (name) => import(pathToFileURL(require.resolve(name)).href)
  const { createInstrumenter } = await load('@stryker-mutator/instrumenter')
  const { createInjector } = await load('typed-inject')
  const silent = () => undefined
  const log = { isDebugEnabled: () => false, debug: silent, info: silent, warn: silent }
  const instrumenter = createInjector()
    .provideValue('logger', log)
    .provideValue('options', {})
    .injectFunction(createInstrumenter)
  const files = allRooms.flatMap((room) =>
    readdirSync(join(root, 'src', room))
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join('src', room, name)),
  )
  const sources = files.map((name) => ({
    name,
    mutate: true,
    content: readFileSync(join(root, name), 'utf8'),
  }))
  const made = await instrumenter.instrument(sources, {
    plugins: null,
    ignorers: [],
    excludedMutations: [],
    noHeader: false,
  })
  for (const { name, content } of made.files)
    writeFileSync(join(sandbox, name), `// @ts-nocheck\n${content}`)
  const version = createHash('sha256').update(JSON.stringify(sources)).digest('hex')
  const lines = new Map(sources.map(({ name, content }) => [name, content.split('\n')]))
  const mutants = made.mutants.map(({ id, fileName, mutatorName, location, replacement }) => {
    const { start, end } = location
    const text = lines.get(fileName).slice(start.line, end.line + 1)
    text[text.length - 1] = text.at(-1).slice(0, end.column)
    text[0] = text[0].slice(start.column)
    return {
      id,
      room: fileName.split('/')[1],
      where: `${fileName}:${start.line + 1}:${start.column + 1}`,
      file: fileName,
      mutator: mutatorName,
      original: text.join('\n'),
      replacement,
    }
  })
  return { mutants, version }
}

/** What the tests cover, and how long they take. */
async function measure(sandbox, version) {
  const file = given.coverage
  if (file !== undefined && existsSync(file)) {
    const kept = JSON.parse(readFileSync(file, 'utf8'))
    if (kept.version === version) return kept
  }
  const files = testFiles()
  const worker = await createWorker(sandbox, files, { measure: true })
  const summary = await worker.ask({ files }, 3_600_000)
  worker.stop()
  if (summary.failed?.length !== 0) {
    console.log(summary.failed ?? summary)
    throw new Error('The tests fail without any mutant')
  }
  console.log(`${files.length} test files pass in ${(summary.total / 1000).toFixed(0)} s`)
  if (file !== undefined) writeFileSync(file, JSON.stringify({ ...summary, version }))
  return summary
}

function testFiles() {
  if (given.tests !== undefined) return given.tests.split(',')
  const inFolders = testFolders.flatMap((folder) =>
    readdirSync(join(root, 'test', folder))
      .filter((name) => name.endsWith('.test.ts') && !leftOut.test(name))
      .map((name) => join('test', folder, name)),
  )
  return [...inFolders, ...alsoTests]
}

function createSandbox() {
  const sandbox = mkdtempSync(join(tmpdir(), 'mutation-'))
  for (const name of ['src', 'test', 'docs', 'package.json', 'tsconfig.json'])
    cpSync(join(root, name), join(sandbox, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(sandbox, 'node_modules'))
  return sandbox
}

/** To load TypeScript takes most of the time of a process, so that is done once. */
function compile(sandbox) {
  for (const folder of ['src', 'test'])
    for (const name of readdirSync(join(sandbox, folder), { recursive: true }))
      if (name.endsWith('.ts') && !name.endsWith('.d.ts')) {
        const path = join(sandbox, folder, name)
        const { outputText } = ts.transpileModule(readFileSync(path, 'utf8'), {
          compilerOptions: {
            target: ts.ScriptTarget.ES2022,
            module: ts.ModuleKind.ESNext,
            verbatimModuleSyntax: true,
            rewriteRelativeImportExtensions: true,
          },
        })
        writeFileSync(path.replace(/\.ts$/, '.js'), outputText)
      }
}

/** A process that has loaded test files. `mutant`: one that is on from the beginning. */
async function createWorker(sandbox, files, { mutant, measure = false } = {}) {
  const child = spawn(
    process.execPath,
    ['test/mutation/worker.js', ...(measure ? ['measure'] : [])],
    {
      cwd: sandbox,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, ...(mutant && { __STRYKER_ACTIVE_MUTANT__: mutant }) },
    },
  )
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text) => (said = (said + text).slice(-2_000)))
  const gone = new Promise((resolve) => child.on('exit', resolve))

  /** What it answers; `died` if it ends instead, `late` if it had to be ended. */
  async function ask(task, limit) {
    let timer
    const late = new Promise((resolve) => {
      timer = setTimeout(() => resolve({ late: true }), limit)
    })
    const answered = new Promise((resolve) => child.once('message', resolve))
    child.send(task, () => undefined)
    const result = await Promise.race([answered, late, gone.then(() => ({ died: said }))])
    clearTimeout(timer)
    if (result.late) child.kill('SIGKILL')
    return result
  }

  const loaded = await ask({ load: files }, 300_000)
  return { ask, loaded, stop: () => child.kill('SIGKILL'), used: 0 }
}

/** Those that fit into a time, in their order; the first one in any case. */
function fitting(names, time, limit) {
  let left = limit
  return names.filter((name, at) => {
    if (at > 0 && time(name) > left) return false
    left -= time(name)
    return true
  })
}

/** What covers each mutant, nearest and fastest first: names of test files, and of rows. */
function planFrom({ coverage, durations, loaded }, mutants) {
  const coveredBy = new Map(mutants.map(({ id }) => [id, new Set()]))
  for (const [name, ids] of Object.entries(coverage))
    for (const id of ids) coveredBy.get(id)?.add(name)
  const ofFile = new Map()
  for (const { id, file } of mutants)
    for (const name of coveredBy.get(id))
      ofFile.set(file, (ofFile.get(file) ?? new Set()).add(name))
  const isLoaded = new Set(loaded)
  return function plan({ id, file, room }) {
    const direct = coveredBy.get(id)
    // What runs when a module is loaded is covered by whatever uses that module.
    const all = [...(direct.size > 0 || !isLoaded.has(id) ? direct : (ofFile.get(file) ?? []))]
    const fast = all.filter((name) => !slow.test(name))
    const names = fast.length > 0 ? fast : all
    const half = Number(given.budget) * 500
    const rows = fitting(
      names.filter((name) => name.includes('.ts: ')).sort((a, b) => durations[a] - durations[b]),
      (row) => durations[row] ?? 0,
      half,
    )
    const files = [...new Set(names.map((name) => name.replace(/\.ts: .*/, '.ts')))]
    const near = basename(file, '.ts').split('-')
    const time = (name) =>
      name.endsWith('rows.test.ts')
        ? rows.reduce((sum, row) => sum + (durations[row] ?? 0), 0)
        : (durations[name] ?? 0)
    const cost = (name) => {
      const words = near.filter((word) => basename(name).includes(word)).length
      return ((time(name) + 100) * (name.includes(`/${room}/`) ? 0.5 : 1)) / (1 + 3 * words)
    }
    const chosen = fitting(
      files.sort((a, b) => cost(a) - cost(b)),
      time,
      Number(given.budget) * 1000,
    )
    return {
      files: chosen,
      rows: rows.map((row) => row.replace(/^.*?\.ts: /, '')),
      duration: chosen.reduce((sum, name) => sum + time(name), 0),
      isLoaded: isLoaded.has(id),
      leftOut: files.length - chosen.length + (all.length - names.length),
    }
  }
}

function pick(mutants) {
  if (given.again !== undefined) {
    const before = JSON.parse(readFileSync(given.again, 'utf8')).filter(
      ({ outcome }) => outcome === 'survived' || outcome === 'not covered',
    )
    const key = ({ file, mutator, original, replacement }) =>
      [file, mutator, original, replacement].join('\n')
    const wanted = new Set(before.map(key))
    return mutants.filter((mutant) => wanted.has(key(mutant)))
  }
  let state = Number(given.seed)
  const random = () => {
    // xorshift32: the same draw on every machine.
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
  for (let skipped = 0; skipped < 20; skipped++) random()
  const drawn = mutants.filter(({ room }) => rooms.includes(room))
  for (let at = drawn.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1))
    ;[drawn[at], drawn[other]] = [drawn[other], drawn[at]]
  }
  return Number(given.sample) > 0 ? drawn.slice(0, Number(given.sample)) : drawn
}

/** Mutants that one process tries: what they leave behind must not pile up. */
const mostUses = 30

/** Tries mutants one after the other, in a process that has loaded all tests. */
function createTrial(sandbox, allFiles) {
  let shared

  async function inShared(task, limit) {
    if (shared !== undefined && shared.used >= mostUses) {
      shared.stop()
      shared = undefined
    }
    shared ??= await createWorker(sandbox, allFiles)
    shared.used += 1
    const result = await shared.ask(task, limit)
    // A test that was given up may still be at work.
    if (result.late || result.died || /Timeout of/.test(result.failed?.[0]?.message ?? '')) {
      shared.stop()
      shared = undefined
    }
    return result
  }

  async function alone(mutant, task, limit) {
    const worker = await createWorker(sandbox, task.files, { mutant: mutant.id })
    if (worker.loaded.error || worker.loaded.died) {
      worker.stop()
      return { unloadable: worker.loaded.error ?? worker.loaded.died }
    }
    const result = await worker.ask({ ...task, mutant: mutant.id }, limit)
    worker.stop()
    return result
  }

  async function once(mutant, { files, rows, duration, isLoaded, leftOut }) {
    if (files.length === 0) return { outcome: 'not covered' }
    const task = { files, rows, mutant: mutant.id }
    const limit = duration * 10 + 90_000
    const isShared = !given.alone && !isLoaded && files.every((file) => allFiles.includes(file))
    const result = await (isShared ? inShared(task, limit) : alone(mutant, task, limit))
    if (result.unloadable) return { outcome: 'error', said: result.unloadable.slice(-500) }
    if (result.error) return { outcome: 'error', said: result.error }
    if (result.late) return { outcome: 'timed out' }
    // An exception that nobody caught is noticed, too.
    if (result.died !== undefined)
      return { outcome: 'killed', by: 'the process died', said: result.died.slice(-500) }
    const [failure] = result.failed
    return failure === undefined
      ? { outcome: 'survived', files: files.length, leftOut }
      : { outcome: 'killed', by: failure.test, said: failure.message }
  }

  return {
    async try(mutant, plan) {
      const first = await once(mutant, plan)
      const byTime = first.outcome === 'timed out' || /Timeout of|^$/.test(first.said ?? '-')
      return byTime || first.by === 'the process died' ? once(mutant, plan) : first
    },
    stop: () => shared?.stop(),
  }
}

/** Wilson's interval, 95 %. */
function interval(detected, all) {
  if (all === 0) return [0, 1]
  const z = 1.96
  const share = detected / all
  const middle = share + z ** 2 / (2 * all)
  const spread = z * Math.sqrt((share * (1 - share)) / all + z ** 2 / (4 * all ** 2))
  return [(middle - spread) / (1 + z ** 2 / all), (middle + spread) / (1 + z ** 2 / all)]
}

function report(results, mutants) {
  for (const room of [...rooms, 'all']) {
    const here = results.filter((result) => room === 'all' || result.room === room)
    const count = (outcome) => here.filter((result) => result.outcome === outcome).length
    const detected = count('killed') + count('timed out')
    const valid = detected + count('survived') + count('not covered')
    const [low, high] = interval(detected, valid).map((share) => (share * 100).toFixed(1))
    const total = mutants.filter((mutant) => room === 'all' || mutant.room === room).length
    console.log(
      `${room}: ${here.length} of ${total} mutants: ${count('killed')} killed, ` +
        `${count('timed out')} timed out, ${count('survived')} survived, ` +
        `${count('not covered')} not covered, ${count('error')} errors: ` +
        `${((100 * detected) / valid).toFixed(1)} % (${low} to ${high})`,
    )
  }
}

const sandbox = createSandbox()
try {
  const { mutants, version } = await createMutants(sandbox)
  compile(sandbox)
  console.log(`${mutants.length} mutants in ${allRooms.join(', ')}`)
  const summary = await measure(sandbox, version)
  const plan = planFrom(summary, mutants)
  const waiting = pick(mutants)
  const results = []
  const shared = testFiles().filter((file) => !slow.test(file))
  await Promise.all(
    Array.from({ length: Number(given.jobs) }, async () => {
      const trial = createTrial(sandbox, shared)
      for (let mutant = waiting.shift(); mutant; mutant = waiting.shift()) {
        const started = Date.now()
        const result = { ...mutant, ...(await trial.try(mutant, plan(mutant))) }
        result.seconds = Math.round((Date.now() - started) / 1000)
        results.push(result)
        writeFileSync(given.out, JSON.stringify(results, undefined, 1))
        const change = `${result.original} -> ${result.replacement}`.replace(/\s+/g, ' ')
        if (result.outcome !== 'killed')
          console.log(
            `${result.outcome}: ${result.where} ${result.mutator}: ${change.slice(0, 200)}`,
          )
      }
      trial.stop()
    }),
  )
  report(results, mutants)
} finally {
  rmSync(sandbox, { recursive: true })
}
