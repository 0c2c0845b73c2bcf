import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { build } from 'esbuild'

/** Below node_modules, so that packages are found from there, and no linter looks at it. */
const cache = resolve(import.meta.dirname, '../../node_modules/.cache/tests')

const bundles = new Map<string, Promise<string>>()

/**
 * A TypeScript program of the tests and all that it imports, packages excepted, as one file that Node
 * runs without a compiler: a process then starts with less than half of the work.
 */
export function bundle(program: string): Promise<string> {
  const made = bundles.get(program) ?? make(program)
  bundles.set(program, made)
  return made
}

async function make(program: string): Promise<string> {
  const { outputFiles } = await build({
    ...{ entryPoints: [program], write: false, bundle: true, packages: 'external' },
    ...{ format: 'esm', platform: 'node', target: 'node20.19', sourcemap: 'inline' },
  })
  const { contents, hash } = outputFiles[0]!
  const id = createHash('sha256').update(hash).digest('hex').slice(0, 16)
  const file = join(cache, `${basename(program, '.ts')}-${id}.mjs`)
  if (existsSync(file)) return file
  await mkdir(cache, { recursive: true })
  // Another process of the tests may be writing the same.
  await writeFile(`${file}.${process.pid}`, contents)
  await rename(`${file}.${process.pid}`, file)
  return file
}

/** Options of this process for one that runs a bundle: the hooks of other modules than tsx. */
export const bundleArgv: string[] = [
  '--enable-source-maps',
  ...process.execArgv
    .join('\n')
    .replace(/^--(import|require)[=\n](tsx|\S*\btsx[/\\]\S*)$/gm, '')
    .split('\n')
    .filter(Boolean),
]
