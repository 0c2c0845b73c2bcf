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
  const provider = options.provider ?? (await startProvider({ appUrl: url }))
  const { flow, api, projects } = provider
  const shared = {
    PROVIDER: JSON.stringify({ flow, api, projects }),
    SESSION_SECRET: options.sessionSecret ?? randomBytes(32).toString('base64url'),
  }
  // One of them runs the background job.
  const fork = (isFirst: boolean) =>
    cluster.fork({ ...shared, ...(!isFirst && { JOB_INTERVAL: 0 }) })
  const workers = Array.from({ length: options.workers }, (_, index) => fork(index === 0))
  let first = workers[0]
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
    const isFirst = worker === first
    const replacement = fork(isFirst)
    if (isFirst) first = replacement
  })
  return url
}
