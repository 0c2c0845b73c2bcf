import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { transform } from 'esbuild'
import { buildPackage } from '../support/built-package.ts'
import { compile } from '../support/compiler.ts'
import { ownEnvironment } from '../support/consumer.ts'

const root = resolve(import.meta.dirname, '../..')

/** The TypeScript of a guide, in the order of its blocks; below one heading, if there is one. */
export async function programIn(guide: string, heading?: string): Promise<string> {
  const text = await readFile(join(root, 'docs', guide), 'utf8')
  const sections = text.split(/^(?=## )/m)
  const chosen =
    heading === undefined
      ? sections
      : sections.filter((section) => section.startsWith(`## ${heading}\n`))
  const blocks = [...chosen.join('').matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, block]) => block)
  if (blocks.length === 0) throw new Error(`There is no program in ${guide}`)
  return blocks.join('\n')
}

/** The TypeScript of a text of this repository, by the file names that its blocks have. */
export async function filesIn(path: string): Promise<Record<string, string>> {
  const text = await readFile(join(root, path), 'utf8')
  const blocks = text.matchAll(/^```ts (\S+)\n([^]*?)^```$/gm)
  return Object.fromEntries(Array.from(blocks, ([, name = '', block = '']) => [name, block]))
}

/** What readers of the guides have installed, beside this package. */
const installedPackages = [
  ...['express', 'express-session', 'supertest', 'connect-redis', 'redis', 'ioredis', 'pg'],
  ...['redis-semaphore', 'keyv', '@keyv/redis', '@types/node', '@types/express'],
  ...['@types/express-session', '@types/supertest', '@types/pg'],
]

/** A project of a reader, who has installed this package and what it needs. */
export interface DocsProject {
  /** What TypeScript says about the programs: nothing if they compile. */
  check(): Promise<string>
  /** Runs one of them, compiled beforehand: that is quicker than with tsx, and as good. */
  run(name: string, environment: Record<string, string>): RunningProgram
  /** Runs a file of tests as docs/testing.md says, with tsx. */
  test(name: string): RunningProgram
  remove(): Promise<void>
}

export interface RunningProgram {
  /** The first match in what it has printed so far: waits for it. Rejects if it ends before. */
  printed(pattern: RegExp): Promise<string>
  /** Its exit code, and all that it printed. */
  ended: Promise<{ code: number | null; output: string }>
  stop(): Promise<void>
}

/** @param programs by file name */
export async function createDocsProject(programs: Record<string, string>): Promise<DocsProject> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'docs-')))
  await buildPackage()
  await mkdir(join(folder, 'node_modules'))
  await symlink(root, join(folder, 'node_modules/express-pkce-flow'))
  for (const name of installedPackages) {
    const link = join(folder, 'node_modules', name)
    await mkdir(dirname(link), { recursive: true })
    await symlink(join(root, 'node_modules', name), link)
  }
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  for (const [name, text] of Object.entries(programs)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
    // A compiler in each of the processes would take longer than they do.
    const { code } = await transform(text, { loader: 'ts', format: 'esm', target: 'node20.19' })
    await writeFile(join(folder, compiled(name)), compiled(code))
  }

  return {
    async check() {
      const compilerOptions = {
        ...{ module: 'nodenext', target: 'es2023', strict: true, noEmit: true },
        ...{ exactOptionalPropertyTypes: true, allowImportingTsExtensions: true },
        ...{ skipLibCheck: true, types: ['node'], typeRoots: [join(root, 'node_modules/@types')] },
      }
      const project = { compilerOptions, files: Object.keys(programs) }
      await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(project))
      const { code, output } = await compile(folder, ['--pretty', 'false'])
      return code === 0 ? output : output || `The compiler ended with ${code}`
    },
    run: (name, environment) => start([join(folder, compiled(name))], environment),
    test: (name) => start(['--import', 'tsx', '--test', join(folder, name)]),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

/** `.ts` becomes `.js`: of a file's name, or of what a program imports. */
function compiled(text: string): string {
  return text.replace(/\.ts(?=["']|$)/gm, '.js')
}

function start(args: readonly string[], environment = {}): RunningProgram {
  const env = ownEnvironment(environment)
  return watch(spawn(process.execPath, args, { cwd: root, env, stdio: 'pipe' }))
}

function watch(child: ChildProcess): RunningProgram {
  let output = ''
  let code: number | null = null
  const heard = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      for (const check of heard) check()
    })
  const closed = once(child, 'close').then(() => {
    code = child.exitCode
  })
  return {
    async printed(pattern) {
      const found = new Promise<string>((resolve_) => {
        const check = () => {
          const match = pattern.exec(output)
          if (match) resolve_(match[1] ?? match[0])
        }
        heard.add(check)
        check()
      })
      const end = closed.then(() => {
        throw new Error(`The program ended:\n${output}`)
      })
      return Promise.race([found, end])
    },
    ended: closed.then(() => ({ code, output })),
    async stop() {
      child.kill()
      await closed
    },
  }
}
