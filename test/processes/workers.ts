import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { TestAuthorizationServer } from '../../src/testing/index.ts'
import { type Browser, createBrowser, type Page } from '../support/browser.ts'
import { bundle, bundleArgv } from '../support/bundle.ts'
import type { WorkerSettings } from './app-worker.ts'

/** An app in a process of its own. */
export interface Worker {
  url(path: string): string
  /** Freezes it: connections stay and nothing answers. */
  pause(): void
  /** Thaws it. */
  resume(): void
  /** Ends it without a warning. */
  kill(): Promise<void>
  /** Ends it. */
  stop(): Promise<void>
}

/** Nobody listens there: tests bring the callback to the process that they mean. */
const redirectOrigin = 'http://127.0.0.1:1'

/** Starts apps that differ in nothing but their process. */
export function startWorkers(
  count: number,
  settings: Omit<WorkerSettings, 'redirectUri'>,
): Promise<Worker[]> {
  return Promise.all(Array.from({ length: count }, () => startWorker(settings)))
}

async function startWorker(settings: Omit<WorkerSettings, 'redirectUri'>): Promise<Worker> {
  const told: WorkerSettings = { ...settings, redirectUri: `${redirectOrigin}/callback` }
  const child = fork(await bundle(join(import.meta.dirname, 'app-worker.ts')), {
    execArgv: bundleArgv,
    env: { ...process.env, APP_WORKER: JSON.stringify(told) },
  })
  const abandon = () => void child.kill('SIGKILL')
  process.once('exit', abandon)
  const exited = once(child, 'exit').then(() => process.off('exit', abandon))
  const origin = await originOf(child, exited)
  return {
    url: (path) => origin + path,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
    async stop() {
      child.kill('SIGCONT')
      if (child.connected) child.disconnect()
      await exited
    },
  }
}

async function originOf(child: ChildProcess, exited: Promise<unknown>): Promise<string> {
  const died = exited.then(() => {
    throw new Error('An app ended before it listened.')
  })
  const [origin] = (await Promise.race([once(child, 'message'), died])) as [string]
  died.catch(() => undefined)
  return origin
}

/** From now on every login brings an access token that has expired, and every refresh one that has not. */
export function expireAtLogin(server: TestAuthorizationServer): void {
  server.misbehave(
    'token',
    { tokenResponse: (usual) => ({ ...usual, expires_in: 0 }) },
    { when: ({ body }) => body.get('grant_type') === 'authorization_code' },
  )
}

/** Goes to log in at `worker`, up to the callback; gives it as it is at `at`. */
export async function startLogin(browser: Browser, worker: Worker, at = worker): Promise<string> {
  const callback = await browser.openUntil(redirectOrigin, worker.url('/login?returnTo=/who'))
  return callback.replace(redirectOrigin, at.url(''))
}

/** A browser that is signed in; it has opened no page yet. */
export async function signedInBrowser(worker: Worker): Promise<Browser> {
  const browser = createBrowser()
  const page = await browser.request(await startLogin(browser, worker))
  if (page.status !== 302) throw new Error(`The login ended with ${page.status}: ${page.body}`)
  return browser
}

/** The access token that a page shows. */
export function tokenIn({ body }: Page): unknown {
  return (JSON.parse(body) as { token?: unknown }).token
}
