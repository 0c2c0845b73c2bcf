import { startExample } from './start-example.ts'

const { PORT, GITLAB_CLIENT_ID, GITLAB_CLIENT_SECRET, REDIS_URL, SESSION_SECRET } = process.env

if (Boolean(GITLAB_CLIENT_ID) !== Boolean(GITLAB_CLIENT_SECRET))
  throw new Error('GitLab needs both GITLAB_CLIENT_ID and GITLAB_CLIENT_SECRET.')

const example = await startExample({
  port: Number(PORT || 8000),
  gitlab:
    GITLAB_CLIENT_ID && GITLAB_CLIENT_SECRET
      ? { clientId: GITLAB_CLIENT_ID, clientSecret: GITLAB_CLIENT_SECRET }
      : undefined,
  redisUrl: REDIS_URL || undefined,
  sessionSecret: SESSION_SECRET || undefined,
}).catch((error: unknown) => {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
  console.error(`Port ${PORT || 8000} is taken. Another one: PORT=8001 npm start`)
  process.exit(1)
})
console.log(`The example app is at ${example.url}`)
