import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Bench } from './bench.ts'
import { compare, type Figures } from './figures.ts'

const floor = 'express + express-session + openid-client'

/** What an app imports, as it would write it, from the folder `apps/`. */
const imports: Record<string, readonly string[]> = {
  'express + express-session': ['express', 'express-session'],
  [floor]: ['express', 'express-session', 'openid-client'],
  'express-pkce-flow': ['express', 'express-session', '../../dist/index.js'],
  'express-openid-connect': ['express', 'express-openid-connect'],
  'passport + openid-client': [
    ...['express', 'express-session', 'passport'],
    ...['openid-client', 'openid-client/passport'],
  ],
  'Auth.js (@auth/express)': ['express', '@auth/express'],
  'grant (no signature check)': ['express', 'express-session', 'grant'],
}

/** Milliseconds of CPU of a process that imports and does nothing else. */
export function startUp(bench: Bench): Promise<Figures[]> {
  const measured = Object.keys(imports).map((name) => ({ name, values: [] as number[] }))
  const empty: number[] = []
  for (let round = 0; round < Math.max(bench.times(15), 5); round += 1) {
    empty.push(cpuOfImporting([]))
    for (const { name, values } of measured) values.push(cpuOfImporting(imports[name] ?? []))
  }
  const over = (other: readonly number[], values: readonly number[]) =>
    values.map((value, round) => value - (other[round] ?? NaN))
  const base = measured.find(({ name }) => name === floor)?.values ?? []
  return Promise.resolve([
    compare(
      'Import, over an empty process',
      'ms CPU',
      measured.map(({ name, values }) => ({ name, values: over(empty, values) })),
      [floor],
    ),
    compare(
      `Import, over ${floor}`,
      'ms CPU',
      measured.slice(2).map(({ name, values }) => ({ name, values: over(base, values) })),
      [],
    ),
  ])
}

function cpuOfImporting(specifiers: readonly string[]): number {
  const program =
    specifiers.map((name) => `import ${JSON.stringify(name)};`).join('') +
    'const {user,system}=process.cpuUsage();console.log((user+system)/1000)'
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: fileURLToPath(new URL('apps', import.meta.url)),
    encoding: 'utf8',
  })
  return Number(printed)
}
