import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { TestServerTls } from './options.ts'

/** A listening socket on 127.0.0.1 that can go away and come back. */
export interface Listener {
  /** Known after the first start. */
  readonly origin: string
  /** Listens: at first on a free port, later on the same one. */
  start(): Promise<void>
  /** Refuses connections and destroys the open ones. */
  stop(): Promise<void>
}

const noticeTurns = 5

/** Nothing listens before `start`. */
export function createListener(onRequest: RequestListener, tls?: TestServerTls): Listener {
  const sockets = new Set<Socket>()
  let server: Server | undefined
  let port = 0

  function createServer(): Server {
    const created = tls
      ? createHttpsServer({ ...tls, rejectUnauthorized: false }, onRequest)
      : createHttpServer(onRequest)
    // An idle connection closed at the moment of its next use would look like a fault.
    created.keepAliveTimeout = 0
    // A test that forgets to close it must end all the same; who waits for an answer holds a socket, too.
    created.unref()
    created.on('connection', (socket: Socket) => {
      socket.unref()
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    })
    return created
  }

  async function listen(attempts: number): Promise<Server> {
    const created = createServer()
    try {
      await new Promise<void>((resolve, reject) => {
        created.once('error', reject)
        created.listen(port, '127.0.0.1', resolve)
      })
      return created
    } catch (error) {
      // While we were away, an outgoing connection can have got the port for a moment.
      if (attempts <= 1 || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
      await sleep(100)
      return listen(attempts - 1)
    }
  }

  return {
    get origin() {
      return `${tls ? 'https' : 'http'}://127.0.0.1:${port}`
    },

    async start() {
      if (server) return
      server = await listen(port === 0 ? 1 : 20)
      port = (server.address() as AddressInfo).port
    },

    async stop() {
      const stopping = server
      server = undefined
      if (!stopping) return
      const closed = new Promise((resolve) => stopping.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
      // Clients in this process see the end of a connection some turns of the event loop later; before
      // that they would send the next request into it.
      for (let turn = 0; turn < noticeTurns; turn += 1) await nextTurn()
    },
  }
}
