import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * What npm would publish of the package as it is built, made once for all processes of a run. It is
 * removed when this one ends.
 * @returns {string} the tarball
 */
export function packOnce() {
  const folder = mkdtempSync(join(tmpdir(), 'packed-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  const pack = ['pack', '--json', '--ignore-scripts', '--offline', '--pack-destination', folder]
  const [{ filename }] = Object.values(JSON.parse(execFileSync('npm', pack, { encoding: 'utf8' })))
  return join(folder, filename)
}
