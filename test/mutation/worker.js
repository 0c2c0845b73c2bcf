// Runs tests of the copy that it is started in, for run.js: test files are loaded once, and a mutant
// after the other is switched on. Those that act while a module is loaded get a process of their own.

import { relative, resolve } from 'node:path'
import { performance } from 'node:perf_hooks'
import Mocha from 'mocha'

const stryker = (globalThis.__stryker__ ??= {})
const isMeasuring = process.argv[2] === 'measure'
const mocha = new Mocha({ timeout: 20_000, bail: !isMeasuring, reporter: class {} })
mocha.cleanReferencesAfterRun(false)

const isRows = (file) => file.endsWith('rows.test.ts')
/** Names are those of the sources, what runs is compiled. */
const fileOf = (runnable) =>
  relative(process.cwd(), runnable.file ?? runnable.parent?.file ?? '').replace(/\.js$/, '.ts')

/** What is covered in hooks before all tests is covered by the file, as is what its tests do. */
const nameOf = (runnable) =>
  isRows(fileOf(runnable)) && runnable.type === 'test'
    ? `${fileOf(runnable)}: ${runnable.fullTitle()}`
    : fileOf(runnable)

/**
 * Rows that take seconds start all at once, in a hook; tests with a clock fail on a busy machine; those
 * with processes of their own start sources that are not compiled.
 */
function leaveSlowOut(suite) {
  suite.suites = suite.suites.filter(({ title }) => !/^what takes seconds|processes of/.test(title))
  suite.tests = suite.tests.filter(({ title }) => !title.endsWith('is read in a moment'))
  suite.suites.forEach(leaveSlowOut)
}

let suites
const allTests = new Map()

async function load(files) {
  for (const file of files) mocha.addFile(resolve(file.replace(/\.ts$/, '.js')))
  await mocha.loadFilesAsync()
  leaveSlowOut(mocha.suite)
  suites = mocha.suite.suites
  const remember = (suite) => {
    allTests.set(suite, suite.tests)
    suite.suites.forEach(remember)
  }
  suites.forEach(remember)
}

/** Of the requirements only the rows that are asked for: they are independent of each other. */
function choose(files, rows) {
  const wanted = new Set(rows)
  for (const [suite, tests] of allTests)
    if (isRows(fileOf(suite)) && rows) suite.tests = tests.filter((t) => wanted.has(t.fullTitle()))
  mocha.suite.suites = files.flatMap((file) => suites.filter((suite) => fileOf(suite) === file))
}

function run({ files, rows, mutant }) {
  choose(files, rows)
  stryker.activeMutant = mutant
  const durations = {}
  const failed = []
  const began = performance.now()
  return new Promise((resolve) => {
    const runner = mocha.run(() => {
      stryker.activeMutant = undefined
      const { perTest = {}, static: loaded = {} } = stryker.mutantCoverage ?? {}
      const coverage = Object.entries(perTest).map(([name, ids]) => [name, Object.keys(ids)])
      const measured = {
        durations,
        coverage: Object.fromEntries(coverage),
        loaded: Object.keys(loaded),
      }
      resolve({ failed, total: performance.now() - began, ...(isMeasuring && measured) })
    })
    runner.on('suite', (suite) => {
      if (suite.file) stryker.currentTestId = fileOf(suite)
    })
    runner.on('hook', (hook) => {
      if (hook.parent.file && !/Each/.test(hook.title)) stryker.currentTestId = nameOf(hook)
    })
    runner.on('test', (test) => {
      stryker.currentTestId = nameOf(test)
      test.began = performance.now()
    })
    runner.on('test end', (test) => {
      const name = nameOf(test)
      durations[name] = (durations[name] ?? 0) + performance.now() - (test.began ?? Infinity)
    })
    runner.on('fail', (test, { message }) => {
      failed.push({ test: test.fullTitle(), message: String(message).slice(0, 300) })
    })
  })
}

process.on('message', (task) => {
  const work = task.load ? load(task.load) : run(task)
  work.then(
    (said = {}) => process.send(said),
    (error) => process.send({ error: String(error?.stack ?? error).slice(0, 1_000) }),
  )
})
