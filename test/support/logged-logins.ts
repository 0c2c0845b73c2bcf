import { startApp } from './app.ts'
import { createBrowser } from './browser.ts'
import { rows } from './rows.ts'

// Run as a child process with NODE_DEBUG and DEBUG set: logs in and fails to, with whatever that prints,
// and tells its parent which secrets there were.

const app = await startApp()
const browser = createBrowser()
await browser.open(app.url('/login'))
await browser.open(app.url('/token'))
app.server.misbehave('token', { tokenResponse: (response) => ({ ...response, error: 'failed' }) })
await browser.open(app.url('/login'))
app.server.behave()
await browser.open(`${app.url('/callback')}?code=a-code-of-nobody&state=a-state-of-nobody`)
const { sessions } = await rows(app.store)
process.send?.([...app.server.secrets, ...sessions.map(({ key }) => key), 'a-code-of-nobody'])
await browser.open(app.url('/logout'))
await app.close()
process.disconnect?.()
