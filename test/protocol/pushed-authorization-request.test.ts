import { expect } from 'chai'
import { startApp, type RunningApp } from '../support/app.ts'
import { createBrowser } from '../support/browser.ts'
import { json } from '../http/steps.ts'

describe('pushed authorization requests (RFC 9126)', () => {
  let app: RunningApp

  beforeEach(async () => {
    app = await startApp({
      serverOptions: { metadata: { require_pushed_authorization_requests: true } },
    })
  })

  afterEach(() => app.close())

  const link = (hint: string) =>
    app.url(
      `/login?${new URLSearchParams({ iss: app.server.issuer, login_hint: hint }).toString()}`,
    )
  const refused = { answer: { status: 400, json: { error: 'invalid_request' } } } as const

  it('P13: a login_hint of a stranger’s link that the server refuses is left out', async () => {
    app.server.misbehave('pushed_authorization', refused, {
      when: ({ body }) => body.has('login_hint'),
    })
    const page = await createBrowser().open(link('nobody'))
    expect(json(page)).to.deep.include({ sub: 'alice' })
    expect(app.server.count('pushed_authorization')).to.equal(2)
  })

  it('section 2.3: what is refused without it, too, is about this client', async () => {
    app.server.misbehave('pushed_authorization', refused)
    const page = await createBrowser().open(link('nobody'))
    expect(json(page)).to.include({ code: 'client_rejected' })
    expect(app.server.count('pushed_authorization')).to.equal(2)
  })
})
