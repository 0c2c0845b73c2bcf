import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

// Builds the package into `dist`, or into the folder that is named: JavaScript in one file for each
// entry point, and in files that they share. Apps would load more than a hundred small ones otherwise,
// which takes longer than all that is in them.

const outdir = process.argv[2] ?? 'dist'
const { exports } = JSON.parse(readFileSync('package.json', 'utf8'))
const sourceOf = (built) => built.replace(/^\.\/dist\/(.*)\.js$/, 'src/$1.ts')

rmSync(outdir, { recursive: true, force: true })
await build({
  entryPoints: Object.values(exports).flatMap((entry) => sourceOf(entry.default ?? '') || []),
  outbase: 'src',
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  packages: 'external',
  target: 'node20.19',
})
const tsc = join('node_modules', 'typescript', 'bin', 'tsc')
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', outdir], {
  stdio: 'inherit',
})
