import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'

/**
 * What npm would publish of the package as it is built: once, for all processes of a run.
 * @returns {string} the tarball
 */
export function packOnce() {
  // Always in the same place: nobody has to remove it.
  const folder = resolve('node_modules', '.cache', 'tests')
  mkdirSync(folder, { recursive: true })
  const pack = ['pack', '--json', '--ignore-scripts', '--offline', '--pack-destination', folder]
  const [{ filename }] = Object.values(JSON.parse(execFileSync('npm', pack, { encoding: 'utf8' })))
  return join(folder, filename)
}
