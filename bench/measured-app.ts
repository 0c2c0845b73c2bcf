import { createServer, type RequestListener } from 'node:http'
import { announceReady, listenOnLoopback } from './child-side.ts'

/** Where an app finds the authorization server, and under which origin browsers find the app. */
export interface Surroundings {
  issuer: string
  origin: string
}

/**
 * Serves an app in this process for the runner to measure. The port is taken before the app is
 * made, since the app's redirect URI names it.
 */
export async function serveMeasured(
  createApp: (surroundings: Surroundings) => RequestListener | Promise<RequestListener>,
): Promise<void> {
  const issuer = process.argv[2]
  if (issuer === undefined) throw new Error('Usage: <app>.ts <issuer>')
  const server = createServer()
  const origin = await listenOnLoopback(server)
  server.on('request', await createApp({ issuer, origin }))
  announceReady(origin)
}
