import { rmSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { build } from 'esbuild'

/** Where packages are found from, and nobody looks for files of ours. */
const cache = resolve(import.meta.dirname, '../../node_modules/.cache/tests')

const bundles = new Map<string, Promise<string>>()

/**
 * A TypeScript program of the tests and all that it imports, packages excepted, as one file that Node
 * runs without a hook: a process of its own then starts with less than half of the work.
 */
export function bundle(program: string): Promise<string> {
  const made = bundles.get(program) ?? make(program)
  bundles.set(program, made)
  return made
}

async function make(program: string): Promise<string> {
  const outfile = join(cache, `${basename(program, '.ts')}-${process.pid}.mjs`)
  process.on('exit', () => rmSync(outfile, { force: true }))
  await build({
    ...{ entryPoints: [program], outfile, bundle: true, packages: 'external' },
    ...{ format: 'esm', platform: 'node', target: 'node20.19', sourcemap: 'inline' },
  })
  return outfile
}

/** Options of this process for one that runs a bundle: all but the compiler's hook. */
export const bundleArgv: string[] = process.execArgv.filter((option) => !option.includes('tsx'))
