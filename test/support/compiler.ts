import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { installed, ownEnvironment } from './consumer.ts'

/** The newest TypeScript; in the matrix an older one, which npx has put on the path. */
export const compilerVersion = process.env['SUITE_TYPESCRIPT'] ?? '7'

const [compiler = '', ...script] =
  process.env['SUITE_TYPESCRIPT'] === undefined
    ? [process.execPath, installed('typescript7/bin/tsc')]
    : [process.platform === 'win32' ? 'tsc.cmd' : 'tsc']

/** What the compiler prints, and with which code it ends. */
export async function compile(
  folder: string,
  args: readonly string[],
): Promise<{ code: number; output: string }> {
  try {
    const options = { cwd: folder, env: ownEnvironment() }
    const { stdout } = await promisify(execFile)(compiler, [...script, ...args], options)
    return { code: 0, output: stdout.trim() }
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string }
    return { code, output: stdout.trim() }
  }
}
