import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compare, type Figures } from './figures.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = dirname(here.replace(/\/$/, ''))

/** What an app installs beside Express. */
const installations: Record<string, readonly string[]> = {
  'express-session': ['express-session'],
  'openid-client by hand': ['express-session', 'openid-client'],
  'express-pkce-flow': ['express-session', root],
  'express-openid-connect': ['express-openid-connect'],
  'passport + openid-client': ['express-session', 'passport', 'openid-client'],
  'Auth.js (@auth/express)': ['@auth/express'],
  'grant (no signature check)': ['express-session', 'grant'],
}

/** Packages, and kilobytes of their files, that are not there for Express already. */
export function installedSize(): Figures[] {
  const ofExpress = closure(['express'])
  const rows = Object.entries(installations).map(([name, packages]) => {
    const added = [...closure(packages)].filter((folder) => !ofExpress.has(folder))
    const bytes = added.reduce((sum, folder) => sum + sizeOf(folder), 0)
    return { name, count: added.length, bytes }
  })
  return [
    compare(
      'Packages over Express',
      'packages',
      rows.map(({ name, count }) => ({ name, values: [count] })),
      [],
    ),
    compare(
      'Installed over Express',
      'kB',
      rows.map(({ name, bytes }) => ({ name, values: [bytes / 1000] })),
      [],
    ),
  ]
}

interface Manifest {
  dependencies?: Record<string, string>
  files?: string[]
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
}

/** Folders of packages and of all that they depend on. */
function closure(names: readonly string[]): Set<string> {
  const found = new Set<string>()
  function add(name: string, from: string) {
    const folder = name.startsWith('/') ? name : resolve(name, from)
    if (found.has(folder)) return
    found.add(folder)
    for (const dependency of Object.keys(manifestOf(folder).dependencies ?? {}))
      add(dependency, folder)
  }
  for (const name of names) add(name, here)
  return found
}

/** As Node finds packages: in the nearest `node_modules` that has it. */
function resolve(name: string, from: string): string {
  const folder = join(from, 'node_modules', name)
  if (existsSync(folder)) return realpathSync(folder)
  if (dirname(from) === from) throw new Error(`${name} is not installed.`)
  return resolve(name, dirname(from))
}

/** Bytes of a package's files; of this one, of those that it publishes. */
function sizeOf(folder: string): number {
  if (folder !== root) return bytesIn(folder)
  const published = [...(manifestOf(root).files ?? []), 'package.json', 'README.md', 'LICENSE']
  return published.reduce((sum, name) => sum + bytesIn(join(root, name)), 0)
}

function bytesIn(path: string): number {
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.size
  return readdirSync(path)
    .filter((name) => name !== 'node_modules')
    .reduce((sum, name) => sum + bytesIn(join(path, name)), 0)
}
