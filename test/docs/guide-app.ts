import {
  createTestAuthorizationServer,
  type TestAuthorizationServer,
} from '../../src/testing/index.ts'
import { startApi, type ApiServer } from '../http/api-server.ts'
import { type Browser, createBrowser, type Page } from '../support/browser.ts'
import { findFreePort } from '../support/service.ts'
import type { DocsProject, RunningProgram } from './docs-project.ts'

/** What a browser says of an address that was typed. */
const typed = {
  'sec-fetch-site': 'none',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
}

/** What it says of a script's fetch(). */
export const script: Record<string, string> = {
  'sec-fetch-site': 'same-origin',
  'sec-fetch-mode': 'cors',
  'sec-fetch-dest': 'empty',
  accept: '*/*',
}

/** A guide's program that runs, with an authorization server and an API that takes its tokens. */
export interface GuideApp {
  readonly origin: string
  readonly server: TestAuthorizationServer
  readonly api: ApiServer
  readonly browser: Browser
  readonly program: RunningProgram
  /** A person opens a page. */
  open(path: string): Promise<Page>
  close(): Promise<void>
}

/** An API that lists one project for each live token, and says nothing to others. */
function startProjects(server: TestAuthorizationServer): Promise<ApiServer> {
  return startApi(({ headers }, response) => {
    const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1]
    const issued = server.issued.find(({ accessToken }) => accessToken === token)
    const isGood = issued?.active === true
    response.writeHead(isGood ? 200 : 401, { 'content-type': 'application/json' })
    response.end(JSON.stringify(isGood ? [`${issued.sub} / diary`] : []))
  })
}

/**
 * Starts a program of `project` that says `Listening` or `Open` when it does.
 *
 * @param more environment beside `ISSUER`, `CLIENT_ID`, `CLIENT_SECRET`, `SESSION_SECRET`, `API_URL`,
 *   `PORT` and `ORIGIN`
 */
export async function startGuideApp(
  project: DocsProject,
  name: string,
  more: Record<string, string> = {},
): Promise<GuideApp> {
  const server = await createTestAuthorizationServer()
  const api = await startProjects(server)
  const browser = createBrowser()

  async function start(attempt = 1): Promise<{ program: RunningProgram; origin: string }> {
    const port = await findFreePort()
    const origin = `http://127.0.0.1:${port}`
    const program = project.run(name, {
      ISSUER: server.issuer,
      CLIENT_ID: 'test-client',
      CLIENT_SECRET: 'test-client-secret',
      SESSION_SECRET: 'session-secret-of-the-guide',
      API_URL: api.origin,
      PORT: String(port),
      ORIGIN: origin,
      ...more,
    })
    try {
      await program.printed(/(Listening|Open).*\n/)
      return { program, origin }
    } catch (error) {
      // Somebody else took the port meanwhile.
      if (attempt === 5 || !String(error).includes('EADDRINUSE')) throw error
      return start(attempt + 1)
    }
  }

  async function stopServers() {
    await api.close()
    await server.close()
  }

  const { program, origin } = await start().catch(async (error: unknown) => {
    await stopServers()
    throw error
  })
  return {
    ...{ origin, server, api, browser, program },
    open: (path) => browser.open(origin + path, { headers: typed }),
    async close() {
      await program.stop()
      await stopServers()
    },
  }
}
