import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import {
  createTestAuthorizationServer,
  type TestAuthorizationServer,
} from '../../src/testing/index.ts'

/** What looks like GitLab: OAuth 2.0 below `/oauth`, an API that takes its tokens below `/api/v4`. */
export interface GitLab {
  readonly origin: string
  readonly server: TestAuthorizationServer
  close(): Promise<void>
}

export const client = { clientId: 'gitlab-client', clientSecret: 'gitlab-client-secret' }

export async function startGitLab(): Promise<GitLab> {
  const server = await createTestAuthorizationServer({
    issuerPath: '/oauth',
    discovery: 'none',
    announceIss: false,
    clients: [client],
  })

  async function forward(request: http.IncomingMessage, response: http.ServerResponse) {
    const { method = 'GET', url = '/', headers } = request
    const body = await text(request)
    const answer = await fetch(server.origin + url, {
      method,
      redirect: 'manual',
      headers: {
        ...(headers.authorization && { authorization: headers.authorization }),
        ...(headers['content-type'] && { 'content-type': headers['content-type'] }),
      },
      ...(method === 'POST' && { body }),
    })
    const location = answer.headers.get('location')
    response.writeHead(answer.status, location === null ? {} : { location })
    response.end(await answer.text())
  }

  function listProjects(request: http.IncomingMessage, response: http.ServerResponse) {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
    const issued = server.issued.find(({ accessToken }) => accessToken === token)
    if (issued?.active !== true) {
      response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end('[]')
      return
    }
    const project = { id: 1, name_with_namespace: `${issued.sub} / diary` }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify([project]))
  }

  const listener = http.createServer((request, response) => {
    if (request.url === '/api/v4/projects?membership=true') listProjects(request, response)
    else forward(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    server,
    async close() {
      listener.closeAllConnections()
      await new Promise((resolve) => listener.close(resolve))
      await server.close()
    },
  }
}
