import { execFile } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { promisify } from 'node:util'
import type { Example, ExampleOptions } from '../../example-app/start-example.ts'

/** Starts the example app as `npm start` does: with the package as it is built, by its name. */
export async function startExample(options?: ExampleOptions): Promise<Example> {
  await buildPackage()
  const example = await import('../../example-app/start-example.ts')
  return example.startExample(options)
}

let built: Promise<void> | undefined

/** Builds the package if it is not, or was changed since. */
export function buildPackage(): Promise<void> {
  built ??= build()
  return built
}

async function build(): Promise<void> {
  const changed = Math.max(...filesOf('src').map((file) => statSync(file).mtimeMs))
  const before = statSync('dist/index.js', { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (before > changed) return
  const env = { ...process.env }
  delete env.NODE_V8_COVERAGE // the compiler's coverage is nobody's business
  await promisify(execFile)(process.execPath, ['build.js'], { env }).catch((error: unknown) => {
    const { stdout } = error as { stdout: string }
    throw new Error(`The example app needs the package built, and "npm run build" says:\n${stdout}`)
  })
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.startsWith('src/testing'))
    .map((entry) => `${entry.parentPath}/${entry.name}`)
}
