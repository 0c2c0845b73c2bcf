import { expect } from 'chai'
import express, { type Express, type RequestHandler } from 'express'
import fc from 'fast-check'
import { holdsForAll } from './generated.ts'
import { type Parameters, parametersLike, write } from './parameters.ts'
import { posted, type Transfer, transfers } from './posted-body.ts'
import { createWorlds, type Expectation, type World } from './world.ts'

/** What an app may have done to a body before a route of ours sees it. */
const parsers: Record<string, RequestHandler> = {
  simple: express.urlencoded({ extended: false }),
  extended: express.urlencoded({ extended: true }),
  json: express.json({ type: '*/*', strict: false }),
  text: express.text({ type: '*/*' }),
  raw: express.raw({ type: () => true }),
}

/** One app parses as the request says: an app for each would cost as many people who are signed in. */
function parse(app: Express) {
  app.use((req, res, next) => {
    const parser = parsers[req.get('x-parser') ?? '']
    if (parser === undefined) {
      next()
      return
    }
    void parser(req, res, (error?: unknown) => {
      if (error === undefined) next()
      // What the app's own parser refuses is the app's to answer.
      else
        res
          .set({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' })
          .status(400)
          .json({ code: 'of the app' })
    })
  })
}

const callback = parametersLike(
  ['code', 'state', 'iss'],
  [
    ['error', 'access_denied'],
    ['error', 'server_error'],
    ['iss', 'https://evil.example'],
    ['code', 'A'.repeat(43)],
  ],
)
const initiated = parametersLike(
  ['iss', 'login_hint', 'target_link_uri'],
  [
    ['target_link_uri', 'https://evil.example/'],
    ['target_link_uri', '/..//evil.example/'],
    ['iss', 'https://evil.example'],
  ],
)
const logoutToken = parametersLike(['logout_token'])

interface Case {
  route: '/callback' | '/login' | '/backchannel-logout' | '/logout'
  parameters: Parameters
  transfer: Transfer
  parser: string
  cookie: 'its own' | 'none'
}

const routes = fc.oneof(
  { weight: 5, arbitrary: at('/callback', callback) },
  { weight: 2, arbitrary: at('/login', initiated) },
  { weight: 1, arbitrary: at('/backchannel-logout', logoutToken) },
  { weight: 1, arbitrary: at('/logout', fc.oneof(callback, initiated)) },
)

function at<Route extends string>(route: Route, parameters: fc.Arbitrary<Parameters>) {
  return fc.record({ route: fc.constant(route), parameters })
}

const cases: fc.Arbitrary<Case> = fc
  .tuple(
    routes,
    fc.record({
      transfer: transfers,
      parser: fc.constantFrom('none', ...Object.keys(parsers)),
      cookie: fc.constantFrom('its own', 'its own', 'its own', 'none'),
    }),
  )
  .map(([first, second]) => ({ ...first, ...second }))

const failures = ['authorization_failed', 'server_unavailable', 'client_rejected']

describe('generated form bodies', () => {
  const worlds = createWorlds({
    before: parse,
    tlsProxy: true,
    flow: { responseMode: 'form_post', routes: { backchannelLogout: '/backchannel-logout' } },
  })

  after(() => worlds.close())

  holdsForAll('are answered with 2xx to 4xx, and sign nobody in', cases, (input) =>
    worlds.run((world) => (input.route === '/callback' ? answerLogin : post)(world, input)),
  )

  it('reached what they were made for', () => {
    worlds.expectSeen(
      ...['303 the app', '400 invalid_callback', '400 login_not_found', '400 code_rejected'],
      ...[
        '400 issuer_mismatch',
        '403 access_denied',
        '502 authorization_failed',
        '405',
        'not HTTP',
      ],
    )
  })
})

/** At the callback route, with the cookie of a login that waits for its answer. */
async function answerLogin(world: World, input: Case): Promise<void> {
  const login = await world.pending()
  const { code, state, cookie } = login
  const text = write(input.parameters, { code, state, iss: world.app.server.issuer })
  const isMine = input.cookie === 'its own' && has(text, state)
  const answer = await send(world, input, text, cookie, {
    signsIn: isMine && has(text, code),
    failures: isMine && has(text, 'error') ? failures : [],
  })
  if (answer === undefined) return
  const isRefused = /"code":"(invalid_callback|login_not_found|of the app)"/.test(answer.body)
  if (answer.status === 303 && !(isMine && has(text, code)))
    expect.fail(`no refusal: ${answer.raw}`)
  if (isRefused && !has(text, 'error')) world.keepPending(login)
}

/** At another route. */
async function post(world: World, input: Case): Promise<void> {
  const text = write(input.parameters, {
    iss: world.app.server.issuer,
    login_hint: 'bob',
    target_link_uri: '/public',
    logout_token: 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl',
  })
  await send(world, input, text)
}

function send(
  world: World,
  { route, transfer, parser, cookie }: Case,
  text: string,
  binding?: string,
  expected?: Expectation,
) {
  const request = posted(text, transfer)
  const headers = [...(request.headers ?? []), ['X-Parser', parser] as const]
  if (cookie === 'its own' && binding !== undefined) headers.push(['Cookie', binding])
  return world.send({ ...request, target: route, headers }, expected)
}

/** Whether it is there at all, however it is written: parsers differ in what they make of it. */
function has(text: string, value: string): boolean {
  return unescaped(unescaped(text)).includes(value)
}

function unescaped(text: string): string {
  return text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  )
}
