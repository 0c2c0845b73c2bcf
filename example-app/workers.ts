import cluster from 'node:cluster'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { startProvider } from './provider.ts'
import type { ExampleOptions } from './start-example.ts'

/**
 * Starts workers that listen on one port, as Node's cluster does it, and what they share: the place
 * where people log in and the secret of session cookies. Sessions and the lock are in Redis or
 * PostgreSQL. A worker that ends is replaced.
 */
export async function startWorkers(
  options: ExampleOptions & { port: number; workers: number },
): Promise<string> {
  const url = new URL(options.appUrl ?? `http://127.0.0.1:${options.port}`).href
  const redirectUris = [new URL('callback', url).href]
  const provider = options.provider ?? (await startProvider({ redirectUris }))
  const { flow, api } = provider
  const shared = {
    PROVIDER: JSON.stringify({ flow, api }),
    SESSION_SECRET: options.sessionSecret ?? randomBytes(32).toString('base64url'),
  }
  const workers = Array.from({ length: options.workers }, () => cluster.fork(shared))
  const failed = once(cluster, 'exit').then(() => {
    throw new Error('A worker ended before it was ready.')
  })
  // Not its event 'listening', which comes before there is an app that answers.
  const ready = Promise.all(workers.map((worker) => once(worker, 'message')))
  await Promise.race([ready, failed])
  failed.catch(() => undefined) // from now on one that ends is replaced
  cluster.on('exit', (worker) => {
    if (worker.exitedAfterDisconnect) return
    console.error(`Worker ${worker.id} has ended, another one takes its place.`)
    cluster.fork(shared)
  })
  return url
}
