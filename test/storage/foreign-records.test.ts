import { expect } from 'chai'
import { type RunningApp, startApp } from '../support/app.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import { changeRow, rows } from '../support/rows.ts'

type Said = Record<string, unknown>

/** The code that the app's error handler was given last. */
function lastCode({ errors }: RunningApp): unknown {
  return (errors.at(-1) as { code?: unknown } | undefined)?.code
}

describe('records that are not written as this version writes them', () => {
  let app: RunningApp
  let browser: Browser

  beforeEach(async () => {
    app = await startApp({ flow: { routes: { backchannelLogout: '/backchannel' } } })
    browser = createBrowser()
  })

  afterEach(() => app.close())

  describe('a pending login', () => {
    const strange: Record<string, Said> = {
      'an outcome that is unheard of': { outcome: { status: 'forwarded' } },
      'an outcome without a status': { outcome: null },
      'a code that is none': { outcome: { status: 'failed', code: 'toString', message: 'No' } },
      'a retryAfter that is no number': {
        outcome: { status: 'failed', code: 'access_denied', message: 'No', retryAfter: 'a\r\nb' },
      },
      'a landing that is no text': { outcome: { status: 'done', at: Date.now(), landing: {} } },
      'a time that is none, at which it was taken': { outcome: { status: 'taken', at: 'now' } },
      'an answer that is none': { answer: null },
      'a scope that is none': { scope: 5 },
      'acrValues that are none': { acrValues: 'gold' },
      'a maxAge that is none': { maxAge: 'soon' },
      'a start that is no time': { startedAt: 1e300 },
      'a returnTo that is no text': { returnTo: ['/'] },
    }
    for (const [what, members] of Object.entries(strange))
      it(`${what}: 400 login_not_found, nothing is sent`, async () => {
        const callback = await browser.openUntil(app.url('/callback'), app.url('/login'))
        const { pending } = await rows(app.store)
        await changeRow(app.store, pending[0]!, (said) => Object.assign(said, members))
        const { status } = await browser.request(callback)
        expect([status, lastCode(app)]).to.deep.equal([400, 'login_not_found'])
        expect(app.server.count('token')).to.equal(0)
      })

    for (const place of ['https://evil.invalid/', '//evil.invalid', '/\\evil.invalid'])
      it(`P5: one that leads to ${place}: leads to afterLogin`, async () => {
        const callback = await browser.openUntil(app.url('/callback'), app.url('/login'))
        const { pending } = await rows(app.store)
        await changeRow(app.store, pending[0]!, (said) => (said.returnTo = place))
        expect((await browser.request(callback)).headers.location).to.equal('/')
      })

    it('P14: one that began in the future lives no longer than others', async () => {
      const callback = await browser.openUntil(app.url('/callback'), app.url('/login'))
      const { pending } = await rows(app.store)
      await changeRow(app.store, pending[0]!, (said) => (said.startedAt = 8e15))
      await browser.request(callback)
      const [row] = (await rows(app.store)).pending
      expect(row!.content.expiresAt).to.be.at.most(Date.now() + 600_000)
    })
  })

  describe('a token record', () => {
    const strange: Record<string, (record: Said, tokens: Said) => void> = {
      'tokens that are null': (record) => (record.tokens = null),
      'an access token that fits into no header': (_, tokens) => (tokens.accessToken = 'a\r\nb'),
      'an empty access token': (_, tokens) => (tokens.accessToken = ''),
      'a scope that is no list of texts': (_, tokens) => (tokens.scope = [{}]),
      'an expiry that is none': (_, tokens) => (tokens.expiresAt = 'never'),
      'an issue that is no time': (_, tokens) => delete tokens.issuedAt,
      'a refresh token that is none': (_, tokens) => (tokens.refreshToken = 5),
      'an ID Token that is none': (record) => (record.idToken = 'abc'),
      'an ID Token without claims': (record) => (record.idToken = 'e30.bnVsbA.e30'),
      'missed acr values that are none': (record) => (record.missedAcr = 5),
      'a connection at no time': (record) => (record.connectedAt = 1e300),
    }
    for (const [what, change] of Object.entries(strange))
      it(`${what}: nobody is signed in`, async () => {
        await browser.open(app.url('/login'))
        const { tokens } = await rows(app.store)
        await changeRow(app.store, tokens[0]!, ({ record }) => {
          change(record as Said, (record as { tokens: Said }).tokens)
        })
        const page = await browser.request(app.url('/'))
        expect([page.status, page.body]).to.deep.equal([
          200,
          JSON.stringify({ sub: null, status: { signedIn: false, connected: false, scope: [] } }),
        ])
      })
  })

  describe('a mark of sign-ins that have ended', () => {
    const strange: Record<string, Said> = {
      'a signed ending that is none': { signed: null },
      'a lifetime that is none': { lifetime: 'long' },
      'an unsigned ending that is no time': { unsigned: {} },
    }
    for (const [what, members] of Object.entries(strange))
      it(`${what}: says nothing`, async () => {
        await browser.open(app.url('/login'))
        const all = (app.store as unknown as { sessions: Record<string, string> }).sessions
        for (const key of Object.keys(all).filter((each) => each.startsWith('lm.'))) {
          const content = JSON.parse(all[key]!) as { content: Said }
          await changeRow(app.store, { key, content } as never, (said) =>
            Object.assign(said, members),
          )
        }
        const page = await browser.request(app.url('/'))
        expect(JSON.parse(page.body)).to.include({ sub: 'alice' })
      })
  })
})
