import { execFile, execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describeWith, type Service, startService } from './service.ts'

const run = promisify(execFile)

/** A PostgreSQL of the tests' own. */
export interface PostgresServer extends Service {
  /** Connects its superuser, without a password. */
  readonly url: string
}

const programs = findPrograms('/usr/lib/postgresql')

/** A suite that needs PostgreSQL: skipped where there is none, and with `CI=true` failed. */
export const describeWithPostgres = describeWith(
  'PostgreSQL',
  programs !== undefined,
  'Install it (apt-get install postgresql), or say where its programs are: POSTGRES_BIN=/path/to/bin',
)

export async function startPostgres(): Promise<PostgresServer> {
  if (programs === undefined) throw new Error('There is no PostgreSQL.')
  const user = process.getuid?.() === 0 ? findUser('postgres') : undefined // it refuses root
  const server = await startService({
    command: join(programs, 'postgres'),
    args: (port, folder) => [
      ...['-D', join(folder, 'data'), '-h', '127.0.0.1', '-p', String(port), '-k', ''],
      // What is written survives the server's end, not the machine's.
      '-F',
      ...['-c', 'shared_buffers=16MB'],
    ],
    ready: /database system is ready to accept connections/,
    user,
    stopSignal: 'SIGQUIT',
    async prepare(folder) {
      const options = ['--auth=trust', '--username=postgres', '--encoding=UTF8', '--locale=C']
      const data = join(folder, 'data')
      await run(join(programs, 'initdb'), ['-D', data, '--no-sync', ...options], {
        cwd: folder,
        ...user,
      })
    },
  })
  return { ...server, url: `postgres://postgres@127.0.0.1:${server.port}/postgres` }
}

/** The folder that was named, or the newest version's: Debian has a folder for each. */
function findPrograms(root: string): string | undefined {
  const versions = existsSync(root) ? readdirSync(root) : []
  const folders = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(root, version, 'bin'))
  const { POSTGRES_BIN } = process.env
  return (POSTGRES_BIN ? [POSTGRES_BIN] : folders).find((folder) =>
    ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))),
  )
}

function findUser(name: string): { uid: number; gid: number } {
  const id = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}
