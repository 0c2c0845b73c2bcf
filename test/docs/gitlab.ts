import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import {
  createTestAuthorizationServer,
  type TestAuthorizationServer,
} from '../../src/testing/index.ts'

/** What looks like GitLab or its like: plain OAuth 2.0, and an API that takes its tokens. */
export interface GitLab {
  readonly origin: string
  readonly server: TestAuthorizationServer
  close(): Promise<void>
}

export const client = { clientId: 'gitlab-client', clientSecret: 'gitlab-client-secret' }

/** Where such a provider has what. */
interface Paths {
  /** What its endpoints are below. */
  issuerPath: string
  tokenPath: string
  /** `undefined` if tokens cannot be revoked. */
  revocationPath: string | undefined
  projects: string
}

export const startGitLab = (): Promise<GitLab> =>
  startProvider({
    issuerPath: '/oauth',
    tokenPath: '/oauth/token',
    revocationPath: '/oauth/revoke',
    projects: '/api/v4/projects?membership=true',
  })

export const startForgejo = (): Promise<GitLab> =>
  startProvider({
    issuerPath: '/login/oauth',
    tokenPath: '/login/oauth/access_token',
    revocationPath: undefined,
    projects: '/api/v1/user/repos',
  })

async function startProvider(paths: Paths): Promise<GitLab> {
  const { issuerPath, tokenPath, revocationPath, projects } = paths
  const server = await createTestAuthorizationServer({
    issuerPath,
    discovery: 'none',
    announceIss: false,
    clients: [client],
  })

  async function forward(request: http.IncomingMessage, response: http.ServerResponse) {
    const { method = 'GET', url = '/', headers } = request
    const body = await text(request)
    if (url === `${issuerPath}/revoke` && url !== revocationPath) {
      response.writeHead(404).end()
      return
    }
    const path = url === tokenPath ? `${issuerPath}/token` : url
    const answer = await fetch(server.origin + path, {
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
    if (request.url === projects) listProjects(request, response)
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
