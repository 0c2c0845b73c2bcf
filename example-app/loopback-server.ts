import { createServer as createHttpServer } from 'node:http'
import type { RequestListener, Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

/** Certificate and key of a server that speaks TLS, as PEM. */
interface TlsKey {
  cert: string
  key: string
}

/** Where a server listens, and under which name browsers find it. */
export interface LoopbackAddress {
  /** `0` takes a free one. */
  port?: number | undefined
  /** Name in URLs, one that leads to this machine. It listens on 127.0.0.1 in any case. */
  host?: string | undefined
  /** With it the server speaks https. */
  tls?: TlsKey | undefined
}

/** A server that listens already and has to be told what to answer. */
export interface LoopbackServer {
  /** For example `http://127.0.0.1:8000`, without a slash at the end. */
  origin: string
  answerWith: (listener: RequestListener) => void
  close: () => Promise<void>
}

/**
 * Listens first and answers later: only then is the port known, which issuer and redirect URI need.
 */
export async function listen({
  port = 0,
  host = '127.0.0.1',
  tls,
}: LoopbackAddress): Promise<LoopbackServer> {
  const server: Server = tls ? createHttpsServer(tls) : createHttpServer()
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const actualPort = (server.address() as AddressInfo).port
  return {
    origin: `${tls ? 'https' : 'http'}://${host}:${actualPort}`,
    answerWith(listener) {
      server.on('request', listener)
    },
    async close() {
      server.close()
      // Browsers keep connections open; nobody waits for them to get bored.
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
