import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a child process tells the runner, over the IPC channel that `fork` opened. */
export type ChildMessage = { origin: string } | { cpuMicroseconds: number }

/** Listens on a free port of 127.0.0.1 and returns the origin, `http://127.0.0.1:<port>`. */
export function listenOnLoopback(server: Server): Promise<string> {
  // Longer than a round of the other app: a connection that is idle meanwhile must not be set up
  // anew inside a measured round.
  server.keepAliveTimeout = 120_000
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () =>
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    )
  })
}

/**
 * Tells the runner where this process listens; from then on each message from the runner is
 * answered with the CPU time (user and system, all threads) that this process has used so far.
 * Ends the process when the runner lets go of the channel, also when the runner dies.
 */
export function announceReady(origin: string): void {
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    send({ cpuMicroseconds: user + system })
  })
  process.on('disconnect', () => process.exit())
  send({ origin })
}

function send(message: ChildMessage): void {
  if (process.send === undefined)
    throw new Error('This file is started by bench/login.ts, not by hand.')
  process.send(message)
}
