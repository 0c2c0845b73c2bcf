import { type ExecFileException, execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { buildPackage } from './built-package.ts'

const root = resolve(import.meta.dirname, '../..')

export interface Manifest {
  name: string
  version: string
  files: string[]
  exports: Record<string, string | Record<string, string>>
  dependencies: Record<string, string>
  peerDependencies: Record<string, string>
}

export const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest

/** A file or folder of a package that this repository has installed. */
export const installed = (path: string): string => join(root, 'node_modules', path)

/** In the matrix, `name@version` of what projects install from the registry: of their peers, or more. */
export const peers = (process.env['SUITE_PEERS'] ?? '').split(' ').filter(Boolean)

/** The environment of somebody's shell: what runs this suite, npm perhaps, is none of theirs. */
export function ownEnvironment(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^npm_|^NODE_(OPTIONS|TEST_CONTEXT|V8_COVERAGE)$|^SUITE_/.test(name),
  )
  return { ...Object.fromEntries(inherited), NO_COLOR: '1', ...more }
}

let tarball: Promise<string> | undefined

/** The tarball that npm would publish, made once for all tests of a run, or of this process. */
function packedTarball(): Promise<string> {
  const given = process.env['SUITE_TARBALL']
  return (tarball ??= given === undefined ? pack() : Promise.resolve(given))
}

async function pack(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'packed-')))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  await buildPackage()
  const args = ['pack', '--ignore-scripts', '--offline', '--pack-destination', folder]
  await promisify(execFile)('npm', args, { cwd: root, env: ownEnvironment() })
  return join(folder, `${manifest.name}-${manifest.version}.tgz`)
}

/** A project that has installed the tarball. */
export interface Consumer {
  folder: string
  write(files: Record<string, string>): Promise<void>
  /** Runs Node in it; does not reject when that fails. */
  node(args: string[], more?: Record<string, string>): Promise<{ code: number; output: string }>
  remove(): Promise<void>
}

/**
 * A project that has the tarball's package, and links to what this repository has installed of what it
 * needs beside it. In the matrix, with versions of its own, it installs both from the registry.
 *
 * @param names packages that the project has
 * @param express its Express; default: that which this suite runs on
 * @param copied by name, where packages of types are that are copied, so that they import the project's
 */
export async function createConsumer(
  names: readonly string[],
  express: string = process.env['SUITE_EXPRESS'] ?? '5',
  copied: Record<string, string> = {},
): Promise<Consumer> {
  const run = promisify(execFile)
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'consumer-')))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  const there = { cwd: folder, env: ownEnvironment() }
  const packed = await packedTarball()
  const linked = [...names]
  if (peers.length > 0) {
    const quietly = ['--no-audit', '--no-fund', '--ignore-scripts']
    await run('npm', ['install', ...quietly, packed, ...peers], there)
  } else {
    const place = join(folder, 'node_modules', manifest.name)
    await mkdir(place, { recursive: true })
    await run('tar', ['-xzf', packed, '-C', place, '--strip-components=1'], there)
    linked.push('express', 'express-session', ...Object.keys(manifest.dependencies))
  }
  for (const name of linked) {
    const link = join(folder, 'node_modules', name)
    await mkdir(dirname(link), { recursive: true })
    await symlink(installed(name === 'express' && express === '4' ? 'express4' : name), link)
  }
  for (const [name, path] of Object.entries(copied))
    await cp(installed(path), join(folder, 'node_modules', name), { recursive: true })

  return {
    folder,
    async write(files) {
      for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
    },
    node: (args, more) =>
      new Promise((done) => {
        const options = { cwd: folder, env: ownEnvironment(more), timeout: 60_000 }
        execFile(process.execPath, args, options, (error: ExecFileException | null, ...printed) => {
          const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1
          done({ code, output: printed.join('') })
        })
      }),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}
