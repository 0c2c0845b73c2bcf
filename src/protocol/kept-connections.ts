import http from 'node:http'
import https from 'node:https'
import type { Duplex } from 'node:stream'

/** Agents that keep connections alive between requests. */
export interface KeptConnections {
  /** The one for this URL. */
  agentFor(url: URL): http.Agent
}

export function createKeptConnections(): KeptConnections {
  // Servers close idle connections, many of them after 5 s; one that they close while we write to it
  // is a request whose outcome nobody knows. So ours are closed first.
  const idle = { keepAlive: true, timeout: 4_000 }
  const agents = {
    'http:': closingOnData(new http.Agent(idle)),
    'https:': closingOnData(new https.Agent(idle)),
  }
  return { agentFor: (url) => (url.protocol === 'https:' ? agents['https:'] : agents['http:']) }
}

/**
 * On an idle connection nothing is to come. Node would read it and throw it away, for as long as it
 * comes, and take what is left of it for the answer to the next request.
 */
function closingOnData<Agent extends http.Agent>(agent: Agent): Agent {
  // What an agent calls when a connection becomes idle, and when it is used again.
  const keep = agent.keepSocketAlive.bind(agent) as (socket: Duplex) => boolean
  const reuse = agent.reuseSocket.bind(agent)
  agent.keepSocketAlive = function keepSocketAlive(socket) {
    socket.on('data', close)
    return keep(socket)
  }
  agent.reuseSocket = function reuseSocket(socket, request) {
    socket.off('data', close)
    reuse(socket, request)
  }
  return agent
}

function close(this: Duplex): void {
  this.destroy()
}
