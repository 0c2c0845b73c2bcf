import { gitlab } from './provider.ts'
import type { Provider } from './provider.ts'
import type { ExampleOptions } from './start-example.ts'

/** What the environment says about the app. Throws if it contradicts itself. */
export function readEnvironment(): ExampleOptions & { port: number; workers: number } {
  const { REDIS_URL, DATABASE_URL, APP_URL, SESSION_SECRET } = given()
  const port = count('PORT', 8000)
  const workers = count('WORKERS', 1)
  const secondPort = count('SECOND_PORT', 0)
  const provider = readProvider()
  const isShared = REDIS_URL !== undefined || DATABASE_URL !== undefined
  if (REDIS_URL !== undefined && DATABASE_URL !== undefined)
    throw new Error('Sessions are kept in one place: give REDIS_URL or DATABASE_URL.')
  if (workers > 1 && !isShared)
    throw new Error('Workers share their sessions: give REDIS_URL or DATABASE_URL, too.')
  if (secondPort > 0 && (workers > 1 || provider))
    throw new Error('SECOND_PORT is for one process with the authorization server of its own.')
  return {
    ...{ port, workers, appUrl: APP_URL, redisUrl: REDIS_URL, databaseUrl: DATABASE_URL },
    provider,
    secondApp: secondPort > 0 ? { port: secondPort } : undefined,
    jobInterval: count('JOB_INTERVAL', 10) * 1000,
    sessionSecret: SESSION_SECRET,
  }
}

/** An empty variable is none. */
function given(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ''))
}

function count(name: string, usual: number): number {
  const value = Number(given()[name] ?? usual)
  if (Number.isInteger(value) && value >= 0) return value
  throw new Error(`${name} must be a whole number.`)
}

function readProvider(): Provider | undefined {
  const { PROVIDER, GITLAB_CLIENT_ID, GITLAB_CLIENT_SECRET } = given()
  if (PROVIDER !== undefined) return JSON.parse(PROVIDER) as Provider
  if (GITLAB_CLIENT_ID === undefined && GITLAB_CLIENT_SECRET === undefined) return undefined
  if (GITLAB_CLIENT_ID === undefined || GITLAB_CLIENT_SECRET === undefined)
    throw new Error('GitLab needs both GITLAB_CLIENT_ID and GITLAB_CLIENT_SECRET.')
  return gitlab({ clientId: GITLAB_CLIENT_ID, clientSecret: GITLAB_CLIENT_SECRET })
}
