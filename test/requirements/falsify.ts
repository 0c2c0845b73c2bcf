// Takes checks out of the source, one after the other, and sees that the tests of the rows that ask for
// them fail: npx tsx test/requirements/falsify.ts [ids of rows, or words of an edit]
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { allEdits, nothingToTakeOut } from './edits/all-edits.ts'
import { applied } from './edits/apply.ts'
import type { Edit } from './edits/edit.ts'
import { testedRows } from './table.ts'

const root = join(import.meta.dirname, '../..')

/** Edits that are tried at the same time. */
const atOnce = 2

/** Rows that must not fail, or the edit is no more than a broken program. */
const control = 'A1 oidcc-client-test'
const controlOfFatal = 'C-46'

/** As much of mocha's JSON report as is looked at. */
interface Report {
  passes: { fullTitle: string }[]
  failures: { fullTitle: string }[]
}

/** What became of an edit. */
interface Result {
  edit: Edit
  /** Rows whose tests all passed although the check was not there. */
  survivors: string[]
  /** Tests that failed, as they must, by their titles. */
  failed: string[]
  /** Why nothing can be said. */
  trouble?: string
}

/** A copy of the repository in which the source can be spoilt. */
function createCopy(): string {
  const copy = mkdtempSync(join(tmpdir(), 'falsify-'))
  for (const name of ['src', 'test/requirements', 'test/support', 'package.json', 'tsconfig.json'])
    cpSync(join(root, name), join(copy, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

const beginning = /^requirements, row by row (?:what takes seconds, all at once )?/

function idOf(title: string): string {
  return title.replace(beginning, '').replace(/: .*$/s, '')
}

/** Runs the tests of some rows. */
async function run(copy: string, ids: readonly string[]): Promise<Report> {
  const output = join(copy, 'report.json')
  rmSync(output, { force: true })
  const names = ids.map((id) => id.replaceAll(/[^\w ]/g, '\\$&')).join('|')
  const mocha = join(root, 'node_modules/mocha/bin/mocha.js')
  const child = spawn(
    process.execPath,
    [
      ...['--import', 'tsx/esm', mocha, '--no-config', '--exit'],
      ...['--timeout', '20000', '--reporter', 'json', '--reporter-option', `output=${output}`],
      ...['--grep', `${beginning.source}(?:${names}): `, 'test/requirements/rows.test.ts'],
    ],
    { cwd: copy, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  await new Promise((resolve) => child.on('close', resolve))
  try {
    return JSON.parse(readFileSync(output, 'utf8')) as Report
  } catch {
    throw new Error(said.slice(0, 500))
  }
}

async function tryEdit(edit: Edit, copy: string): Promise<Result> {
  const texts = applied(edit, join(copy, 'src'))
  const before = new Map([...texts.keys()].map((file) => [file, read(copy, file)]))
  const ours = edit.isFatal ? controlOfFatal : control
  try {
    for (const [file, text] of texts) writeFileSync(join(copy, 'src', file), text)
    const { passes, failures } = await run(copy, [...edit.rows, ours])
    const failed = failures.map(({ fullTitle }) => fullTitle)
    const failedRows = new Set(failed.map(idOf))
    const survivors = edit.rows.filter((id) => !failedRows.has(id))
    const isBroken =
      failed.some((title) => !beginning.test(title) || title.includes('" hook')) ||
      (!edit.rows.includes(ours) && failedRows.has(ours)) ||
      !passes.some(({ fullTitle }) => edit.rows.includes(ours) || idOf(fullTitle) === ours)
    return { edit, survivors, failed, ...(isBroken && { trouble: `${ours} fails, too` }) }
  } catch (error) {
    return { edit, survivors: [], failed: [], trouble: String(error) }
  } finally {
    for (const [file, text] of before) writeFileSync(join(copy, 'src', file), text)
  }
}

function read(copy: string, file: string): string {
  return readFileSync(join(copy, 'src', file), 'utf8')
}

function tell({ edit, survivors, failed, trouble }: Result): void {
  const seen = `${edit.rows.length - survivors.length} of ${edit.rows.length} rows fail`
  const verdict =
    trouble === undefined && survivors.length === 0 ? `✔ ${seen}` : `✘ ${trouble ?? seen}`
  const still = survivors.length === 0 ? '' : `; STILL PASS: ${survivors.join(', ')}`
  console.log(`${verdict}, in ${failed.length} tests, without ${edit.what}${still}`)
}

async function tryAll(edits: readonly Edit[]): Promise<Result[]> {
  const left = [...edits]
  const results: Result[] = []
  async function work() {
    const copy = createCopy()
    try {
      for (let edit = left.shift(); edit !== undefined; edit = left.shift()) {
        const result = await tryEdit(edit, copy)
        tell(result)
        results.push(result)
      }
    } finally {
      rmSync(copy, { recursive: true })
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return results
}

function chosen(words: readonly string[]): Edit[] {
  if (words.length === 0) return [...allEdits]
  return words.flatMap((word) =>
    allEdits.flatMap((edit) => {
      if (edit.what === word) return [edit]
      return edit.rows.includes(word) ? [{ ...edit, rows: [word] }] : []
    }),
  )
}

const words = process.argv.slice(2)
const results = await tryAll(chosen(words))
const isGood = ({ survivors, trouble }: Result): boolean =>
  survivors.length === 0 && trouble === undefined
const seen = new Set(
  results.flatMap(({ edit, survivors, trouble }) =>
    trouble === undefined ? edit.rows.filter((id) => !survivors.includes(id)) : [],
  ),
)
const tests = new Set(results.flatMap(({ failed, trouble }) => (trouble ? [] : failed)))
console.log(
  `${results.length} edits, ${results.filter(isGood).length} of them noticed by all of their rows. ` +
    `${testedRows.length} rows: ${seen.size} were seen to fail, in ${tests.size} tests; ` +
    `${Object.keys(nothingToTakeOut).length} have nothing that could be taken out.`,
)
process.exitCode = results.every(isGood) ? 0 : 1
