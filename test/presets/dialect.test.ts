import { expect } from 'chai'
import type { Dialect, PkceFlowOptions, Preset } from '../../src/index.ts'
import { startApp } from '../support/app.ts'
import { createBrowser } from '../support/browser.ts'
import { startPlainProvider, type Answer } from './plain-provider.ts'

const bare: Preset = {
  preset: 'of my own',
  authorization_endpoint: 'https://provider.example/authorize',
  token_endpoint: 'https://provider.example/token',
  userinfo_endpoint: 'https://provider.example/me',
}

const usual = { access_token: 'access', token_type: 'bearer', scope: 'read' }

/** A login at a provider that speaks so, and what came of it. */
async function logIn(
  dialect: Dialect | undefined,
  tokens: Answer,
  options: Partial<PkceFlowOptions> = {},
  profile: Answer = { status: 404 },
) {
  const provider = await startPlainProvider({ ...bare, dialect })
  provider.answers.token_endpoint.push(tokens)
  provider.answers.userinfo_endpoint.push(profile)
  const app = await startApp({
    flow: { issuer: undefined, server: provider.preset, ...options },
    routes: (express, flow) => {
      express.get('/', async (req, res) => void res.json(await flow.status(req)))
      express.get('/me', (req, res, next) => {
        flow.userInfo(req).then((me) => res.json(me), next)
      })
    },
  })
  const browser = createBrowser()
  const { body } = await browser.open(app.url('/login'))
  const me = JSON.parse((await browser.open(app.url('/me'))).body) as object
  await app.close()
  await provider.close()
  const { query } = provider.seen.authorization_endpoint[0]!
  return { page: JSON.parse(body) as object, me, query, seen: provider.seen }
}

describe('dialect of a preset of the app’s own', () => {
  it('scopes are asked for with its separator, and read with it', async () => {
    const { query, page } = await logIn(
      { scopeSeparator: ',', grantedScope: { member: 'scopes', form: 'commas' } },
      { json: { ...usual, scope: undefined, scopes: 'read,activity:read' } },
      { scope: 'read activity:read' },
    )
    expect(query.get('scope')).to.equal('read,activity:read')
    expect(page).to.deep.include({ scope: ['read', 'activity:read'] })
  })

  it('a comma in a granted scope is none between two, unless the dialect says so', async () => {
    const { page } = await logIn({}, { json: { ...usual, scope: 'read,write admin' } })
    expect(page).to.deep.include({ scope: ['read,write', 'admin'] })
  })

  for (const scope of [['read', 5], { read: true }, 7, null])
    it(`a granted scope of ${JSON.stringify(scope)} is none that can be read: as asked for`, async () => {
      const dialect: Dialect = { grantedScope: { form: 'array' } }
      const { page } = await logIn(dialect, { json: { ...usual, scope } }, { scope: 'read' })
      expect(page).to.deep.include({ scope: ['read'] })
    })

  it('other types of token are accepted only if they are named', async () => {
    const tokens = { json: { ...usual, token_type: 'User' } }
    expect((await logIn({ tokenTypes: ['user'] }, tokens)).page).to.include({ connected: true })
    expect((await logIn({ tokenTypes: ['bot'] }, tokens)).page).to.include({
      code: 'invalid_server_response',
    })
    const dpop = { json: { ...usual, token_type: 'DPoP' } }
    expect((await logIn(undefined, dpop)).page).to.include({ code: 'invalid_server_response' })
  })

  it('a form is read only where it is expected', async () => {
    const form = 'access_token=access&token_type=bearer'
    expect((await logIn({ formResponses: true }, { form })).page).to.include({ connected: true })
    expect((await logIn({}, { form })).page).to.include({ code: 'invalid_server_response' })
    const untyped: Answer = { form, type: 'none' }
    expect((await logIn({ formResponses: true }, untyped)).page).to.include({
      code: 'invalid_server_response',
    })
  })

  it('JSON is read as JSON also where forms are expected, and whatever it is called', async () => {
    const dialect: Dialect = { formResponses: true }
    expect((await logIn(dialect, { json: usual })).page).to.include({ connected: true })
    const misnamed = { form: JSON.stringify(usual) }
    expect((await logIn(dialect, misnamed)).page).to.include({ connected: true })
  })

  it('a refusal of the code is what the dialect says, by its registered name', async () => {
    const dialect: Dialect = { refusals: { reason: { 'bad secret': 'invalid_client' } } }
    const refused = { status: 400, json: { reason: 'bad secret' } }
    expect((await logIn(dialect, refused)).page).to.include({ code: 'client_rejected' })
    expect((await logIn({}, refused)).page).to.include({ code: 'code_rejected' })
  })

  it('a text that ends with an asterisk stands for all that begin so', async () => {
    const dialect: Dialect = { refusals: { reason: { 'Bad client*': 'invalid_client' } } }
    for (const [reason, code] of [
      ['Bad client', 'client_rejected'],
      ['Bad client: 4711', 'client_rejected'],
      ['A bad client', 'code_rejected'],
      ['Bad', 'code_rejected'],
      [['Bad client'], 'code_rejected'],
    ] as const)
      expect((await logIn(dialect, { status: 400, json: { reason } })).page).to.include({ code })
  })

  it('without an asterisk it is the whole text', async () => {
    const dialect: Dialect = { refusals: { reason: { 'Bad client': 'invalid_client' } } }
    const refused = { status: 400, json: { reason: 'Bad client: 4711' } }
    expect((await logIn(dialect, refused)).page).to.include({ code: 'code_rejected' })
  })

  it('invalid_grant is about the code with a status of 401, too', async () => {
    const { page } = await logIn({}, { status: 401, json: { error: 'invalid_grant' } })
    expect(page).to.include({ code: 'code_rejected' })
    const other = await logIn({}, { status: 401, json: { error: 'other' } })
    expect(other.page).to.include({ code: 'client_rejected' })
  })

  for (const name of ['constructor', '__proto__', 'toString'])
    it(`a refusal called ${name} is no name of its own`, async () => {
      const dialect: Dialect = { refusals: { error: { other: 'invalid_client' } } }
      const { page } = await logIn(dialect, { status: 400, json: { error: name } })
      expect(page).to.include({ code: 'code_rejected' })
    })

  it('a profile without an id is refused', async () => {
    const dialect: Dialect = { profile: { id: 'data.id' } }
    for (const json of [
      {},
      { data: null },
      { data: { id: '' } },
      { data: { id: {} } },
      { data: [] },
    ])
      expect((await logIn(dialect, { json: usual }, {}, { json })).me).to.include({
        code: 'invalid_server_response',
      })
    const { me } = await logIn(dialect, { json: usual }, {}, { json: { data: { id: 0 } } })
    expect(me).to.include({ sub: '0' })
  })
})
