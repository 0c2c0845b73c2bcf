import { execFile } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { promisify } from 'node:util'

let built: Promise<void> | undefined

/** Builds the package if it is not, or was changed since. */
export function buildPackage(): Promise<void> {
  built ??= build()
  return built
}

async function build(): Promise<void> {
  const sources = readdirSync('src', { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`)
  const changed = Math.max(...sources.map((file) => statSync(file).mtimeMs))
  const before = statSync('dist/index.js', { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (before > changed) return
  await promisify(execFile)(process.execPath, ['build.js']).catch((error: unknown) => {
    const { stdout } = error as { stdout: string }
    throw new Error(`The package cannot be built: "npm run build" says:\n${stdout}`)
  })
}
