import { subscribe, unsubscribe, type ChannelListener } from 'node:diagnostics_channel'
import http from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  createTestAuthorizationServer,
  type TestAuthorizationServer,
  type TestAuthorizationServerOptions,
} from '../../src/testing/index.ts'
import { until } from '../support/until.ts'

/** What is done with the connection of a request in place of an answer. */
export type SocketFault = (socket: Socket) => void

/** A path of the authorization server, such as `/token`. */
export type Path = `/${string}`

/** An authorization server behind something that can do anything to its connections. */
export interface HostileServer {
  readonly issuer: string
  /** What answers when nothing is done to it. */
  readonly server: TestAuthorizationServer
  /** Requests of this path get `fault`. Returns a function that ends it. */
  fail(path: Path, fault: SocketFault): () => void
  /** Settles when so many requests of this path have come. */
  received(path: Path, count?: number): Promise<void>
  count(path: Path): number
  /** This process's connections to it, oldest first. */
  readonly connections: readonly Socket[]
  /** Those of them on which something else came than an answer, oldest first. */
  readonly struck: readonly Socket[]
  /** Lets go of the connections, and of what they hold. */
  forgetConnections(): void
  close(): Promise<void>
}

/** Starts one; every URL that it publishes leads through what can fail. */
export async function startHostileServer({
  metadata = {},
  ...options
}: TestAuthorizationServerOptions = {}): Promise<HostileServer> {
  const faults = new Map<string, SocketFault>()
  const seen: string[] = []
  const connections: Socket[] = []
  const struck: Socket[] = []
  let behind = ''

  const front = http.createServer((req, res) => {
    const path = new URL(req.url!, behind).pathname
    seen.push(path)
    const fault = faults.get(path)
    if (fault === undefined) {
      forward(behind, req, res)
      return
    }
    const { remotePort } = req.socket
    struck.push(connections.findLast(({ localPort }) => localPort === remotePort)!)
    // When the request is there as a whole.
    req.resume().on('end', () => fault(req.socket))
  })
  front.keepAliveTimeout = 0
  front.on('connection', (socket) => socket.on('error', () => undefined))
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
  const { port } = front.address() as AddressInfo
  const issuer = `http://127.0.0.1:${port}`

  const watch: ChannelListener = (message) => {
    const { socket } = message as { socket: Socket }
    socket.once('connect', () => {
      if (socket.remotePort === port) connections.push(socket)
    })
  }
  subscribe('net.client.socket', watch)

  const server = await createTestAuthorizationServer({
    announceIss: false,
    metadata: { ...endpointsAt(issuer), ...metadata },
    ...options,
  })
  behind = server.origin
  server.misbehave('token', { idToken: { claims: (claims) => ({ ...claims, iss: issuer }) } })
  const count = (path: Path) => seen.filter((each) => each === path).length

  return {
    issuer,
    server,
    fail(path, fault) {
      faults.set(path, fault)
      return () => void faults.delete(path)
    },
    received: (path, times = 1) => until(() => count(path) >= times),
    count,
    connections,
    struck,
    forgetConnections() {
      connections.length = 0
      struck.length = 0
    },
    async close() {
      unsubscribe('net.client.socket', watch)
      front.closeAllConnections()
      await new Promise((resolve) => front.close(resolve))
      await server.close()
      await nextTurn()
    },
  }
}

function endpointsAt(issuer: string) {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    userinfo_endpoint: `${issuer}/userinfo`,
    revocation_endpoint: `${issuer}/revoke`,
    pushed_authorization_request_endpoint: `${issuer}/par`,
    end_session_endpoint: `${issuer}/logout`,
  }
}

function forward(origin: string, req: http.IncomingMessage, res: http.ServerResponse) {
  const { method, url, headers } = req
  const onward = http.request(origin + url!, { method, headers, agent: false }, (answer) => {
    delete answer.headers.connection
    res.writeHead(answer.statusCode!, answer.headers)
    answer.pipe(res)
  })
  onward.on('error', () => res.destroy())
  req.pipe(onward)
}
