import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { expect } from 'chai'
import type { Page } from 'playwright-core'
import type { AuthorizationServer } from '../../example-app/authorization-server.ts'
import type { Example, ExampleOptions } from '../../example-app/start-example.ts'
import { clock } from '../support/clock.ts'
import { describeInChromium, openTab } from './chromium.ts'
import { startExample } from './example.ts'
import { holdCallback } from './hold-callback.ts'
import {
  allowOnly,
  chooseColour,
  goToLogIn,
  logInHere,
  sayName,
  sees,
  seesColour,
} from './person.ts'

describeInChromium('Example app: a login that is too old', () => {
  let example: Example

  async function start(options?: ExampleOptions) {
    example = await startExample(options)
  }

  afterEach(async () => {
    clock.release()
    await example.close()
  })

  it('login_not_found: an answer after loginTimeout is 400, and "Start again" works', async () => {
    await start({ flow: { loginTimeout: 60_000 } })
    const page = await openTab()
    await page.goto(example.url)
    await chooseColour(page, 'heather')
    await page.goto(`${example.url}notes`)
    await sees(page, 'Who are you?')
    await sayName(page, 'Ada')
    const { held } = await holdCallback(page)
    await allowOnly(page)
    const callback = await held
    // Only for this request: the authorization server shares the clock.
    clock.advance(60_000)
    const answer = page.waitForResponse(callback.url)
    await callback.send()
    expect((await answer).status()).to.equal(400)
    await sees(page, 'This login is too old')
    clock.release()
    await seesColour(page, 'heather')
    await page.getByRole('link', { name: 'Start again' }).click()
    await sees(page, 'Who are you?')
    await logInHere(page, 'Ada')
    await sees(page, 'Hello, Ada')
    await seesColour(page, 'heather')
  })

  it('login_not_found: the same when the browser has dropped the cookie of the login', async () => {
    await start({ flow: { loginTimeout: 2_000 } })
    const page = await openTab()
    await goToLogIn(page, example)
    await sayName(page, 'Ada')
    const hasBindingCookie = async () =>
      (await page.context().cookies()).some(({ name }) => name.startsWith('pkce.'))
    while (await hasBindingCookie()) await new Promise((resolve) => setTimeout(resolve, 50))
    const answer = page.waitForResponse((response) => response.url().includes('/callback?'))
    await page.getByRole('button', { name: 'Allow' }).click()
    expect((await answer).status()).to.equal(400)
    await sees(page, 'This login is too old')
  })
})

describeInChromium('Example app: the provider does not answer', () => {
  let example: Example
  let stop: () => Promise<unknown>
  const log = console.error

  beforeEach(() => {
    console.error = () => undefined // the example writes down what fails on the server
    stop = () => Promise.resolve()
  })

  afterEach(async () => {
    console.error = log
    await stop()
    await example.close()
  })

  async function start() {
    example = await startExample({ flow: { timeout: 3_000 } })
    return example.authorizationServer as AuthorizationServer
  }

  /** Something else at the authorization server's address: it hangs up, or never says a word. */
  async function replace(
    server: AuthorizationServer,
    behaviour: 'hangs up' | 'is silent',
  ): Promise<void> {
    await server.close()
    stop = await listenAt(Number(new URL(server.issuer).port), behaviour)
  }

  /** The authorization server again, as after a restart. */
  async function restart(server: AuthorizationServer) {
    await stop()
    const { startAuthorizationServer } = await import('../../example-app/authorization-server.ts')
    const restarted = await startAuthorizationServer({
      port: Number(new URL(server.issuer).port),
      redirectUris: [`${example.url}callback`],
      client: { client_secret: server.clientSecret },
    })
    stop = () => restarted.close()
  }

  const outages = [
    { behaviour: 'hangs up', status: 503 },
    { behaviour: 'is silent', status: 504 },
  ] as const

  for (const { behaviour, status } of outages) {
    it(`P12: ${status} at the start of a login when the server ${behaviour}; "Try again" works when it is back`, async () => {
      const server = await start()
      await replace(server, behaviour)
      const page = await openTab()
      await page.goto(example.url)
      const answer = page.waitForResponse(`${example.url}login`)
      await page.getByRole('link', { name: 'Log in' }).click()
      expect((await answer).status()).to.equal(status)
      expect((await answer).headers()).to.have.property('retry-after')
      await sees(page, 'The provider does not answer')
      await restart(server)
      await triesAgain(page)
      await logInHere(page, 'Ada')
      await sees(page, 'Hello, Ada')
    })

    it(`P10: ${status} at the callback when the server ${behaviour}; "Try again" works when it is back`, async () => {
      const server = await start()
      const page = await openTab()
      await page.goto(example.url)
      await chooseColour(page, 'lake')
      await goToLogIn(page, example)
      await sayName(page, 'Ada')
      const { held } = await holdCallback(page)
      await allowOnly(page)
      const callback = await held
      await replace(server, behaviour)
      const answer = page.waitForResponse(callback.url)
      await callback.send()
      expect((await answer).status()).to.equal(status)
      await sees(page, 'The provider does not answer')
      await seesColour(page, 'lake')
      await restart(server)
      await triesAgain(page)
      await logInHere(page, 'Ada')
      await sees(page, 'Hello, Ada')
      await seesColour(page, 'lake')
    })
  }
})

/** Follows "Try again" as long as the failed discovery is remembered. */
async function triesAgain(page: Page) {
  const again = page.getByRole('link', { name: 'Try again' })
  while (await again.isVisible())
    await Promise.all([page.waitForEvent('domcontentloaded'), again.click()])
  await sees(page, 'Who are you?')
}

async function listenAt(
  port: number,
  behaviour: 'hangs up' | 'is silent',
): Promise<() => Promise<void>> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    if (behaviour === 'hangs up') socket.destroy()
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return async () => {
    server.close()
    for (const socket of sockets) socket.destroy()
    await once(server, 'close')
  }
}
