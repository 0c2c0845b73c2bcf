import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const { spec, reporter, timeout } = JSON.parse(readFileSync('.mocharc.json', 'utf8'))

/**
 * Mocha as .mocharc.json has it, but for what is replaced. (Mocha itself would add files to those of
 * its configuration.)
 * @param {{ node?: string[], files?: string[], hooks?: string[], without?: string[] }} [choices]
 */
export function mochaCommand({
  node = [process.execPath],
  files = [spec],
  hooks = ['tsx/esm'],
  without = [],
} = {}) {
  return [
    ...node,
    join('node_modules', 'mocha', 'bin', 'mocha.js'),
    '--no-config',
    ...hooks.flatMap((hook) => ['--node-option', `import=${hook}`]),
    ...['--reporter', reporter, '--timeout', String(timeout), '--fail-zero', '--forbid-only'],
    ...without.flatMap((files) => ['--exclude', files]),
    ...files,
  ]
}
