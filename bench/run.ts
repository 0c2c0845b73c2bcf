/**
 * Measures this package, as it was built, beside an Express app with express-session that keeps its tokens in the
 * session, the same flow written by hand with openid-client, and other packages. Prints tables, and
 * writes the figures as JSON (`--json figures.json`).
 *
 *     npm run bench -- [--only login,heap] [--scale 0.3] [--json figures.json] [--cpu-prof folder]
 *
 * Every app is a process of its own, so is the authorization server; the browsers are in this one.
 * What is compared is CPU time of the app's process, in ratios within rounds in which the apps take
 * turns: wall-clock time says little on a machine that others use, too. `--scale` makes rounds shorter
 * or longer, `--only` chooses measures by the beginnings of their names, `--apps` contenders by parts
 * of theirs. `--cpu-prof` writes a CPU profile of each app.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createBench } from './bench.ts'
import { type Figures, formatTable } from './figures.ts'
import { measures } from './measures.ts'

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    apps: { type: 'string', default: '' },
    scale: { type: 'string', default: '1' },
    json: { type: 'string', default: 'bench/figures.json' },
    'cpu-prof': { type: 'string' },
  },
})
const scale = Number(flags.scale)
if (!(scale > 0 && scale <= 100)) throw new Error('--scale must be a number above 0.')
const chosen = Object.entries(measures).filter(([name]) =>
  flags.only.split(',').some((start) => name.startsWith(start)),
)
if (chosen.length === 0)
  throw new Error(`--only knows ${Object.keys(measures).join(', ')}: give the beginnings of some.`)

// The packages to compare with are those of the package in this folder: nothing else needs them.
const folder = fileURLToPath(new URL('.', import.meta.url))
if (!existsSync(`${folder}/node_modules`))
  execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'inherit' })

const all: Figures[] = []
for (const [, measure] of chosen) {
  const bench = await createBench({
    scale,
    apps: flags.apps.split(','),
    profileFolder: flags['cpu-prof'],
  })
  try {
    for (const figures of await measure(bench)) {
      all.push(figures)
      console.log(`\n${formatTable(figures)}`)
    }
  } finally {
    await bench.close()
  }
}
const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`
const run = { date: new Date().toISOString(), node: process.version, machine, scale, figures: all }
writeFileSync(flags.json, `${JSON.stringify(run, null, 2)}\n`)
