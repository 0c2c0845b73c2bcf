import { expect } from 'chai'
import fc from 'fast-check'
import type { AppSetUp } from '../support/app.ts'
import { holdsForAll } from './generated.ts'
import { hostileTexts, inOneLine } from './hostile-text.ts'
import { ownOrigin, places } from './places.ts'
import { createWorlds, type World } from './world.ts'

interface Case {
  method: string
  route: 'login' | 'logout' | 'callback' | 'guard' | 'silent'
  query: string
  headers: readonly (readonly [name: string, value: string])[]
  isProxied: boolean
}

const hosts = fc.oneof(
  fc.constantFrom(
    ...[
      '{host}',
      '{host}',
      'localhost',
      'LOCALHOST:{port}',
      'evil.example',
      'evil.example:80',
      '[::1]',
      '[::1',
    ],
    ...[
      '127.0.0.1.evil.example',
      '{host}@evil.example',
      'evil.example#{host}',
      '.',
      '',
      '{host}, evil.example',
    ],
    ...['evil.example/x', '{host}\\', 'evil.example:{port}', '{host}:80:90'],
  ),
  hostileTexts,
)

const origins = fc.oneof(
  fc.constantFrom(
    ...[
      ownOrigin,
      ownOrigin,
      `${ownOrigin}/`,
      `${ownOrigin}.evil.example`,
      `${ownOrigin}, ${ownOrigin}`,
    ],
    ...['null', '', 'https://evil.example', 'http://evil.example', '{host}', 'file://'],
  ),
  places,
)

const valuesByName: Record<string, fc.Arbitrary<string>> = {
  Host: hosts,
  'X-Forwarded-Host': hosts,
  'X-Forwarded-Proto': fc.oneof(
    fc.constantFrom('http', 'https', 'https, http', 'ftp', 'HTTPS'),
    hostileTexts,
  ),
  'X-Forwarded-For': fc.oneof(
    fc.constantFrom('127.0.0.1', '::1', 'unknown', '1.2.3.4, 5.6.7.8'),
    hostileTexts,
  ),
  'X-Forwarded-Prefix': places,
  'X-Original-URL': places,
  Forwarded: hostileTexts.map((text) => `host=${text};proto=https`),
  Origin: origins,
  Referer: origins,
  'Sec-Fetch-Site': fc.oneof(
    fc.constantFrom('same-origin', 'none', 'cross-site', 'same-site'),
    hostileTexts,
  ),
  'Sec-Fetch-Mode': fc.oneof(fc.constantFrom('navigate', 'no-cors', 'cors'), hostileTexts),
  'Sec-Fetch-Dest': fc.oneof(fc.constantFrom('document', 'image', 'iframe', 'empty'), hostileTexts),
  'Sec-Fetch-User': fc.oneof(fc.constantFrom('?1', '?0'), hostileTexts),
  'Sec-Purpose': fc.oneof(fc.constantFrom('prefetch', 'prefetch;prerender'), hostileTexts),
  Purpose: fc.constantFrom('prefetch', 'preview', ''),
  Accept: fc.oneof(fc.constantFrom('text/html', '*/*', 'application/json'), hostileTexts),
  'X-Requested-With': fc.oneof(fc.constantFrom('XMLHttpRequest'), hostileTexts),
  'X-HTTP-Method-Override': fc.constantFrom('DELETE', 'POST', '__proto__'),
  'Content-Type': fc.oneof(fc.constantFrom('application/x-www-form-urlencoded'), hostileTexts),
  Authorization: hostileTexts,
  Range: fc.constantFrom('bytes=0-0', 'bytes=9-', 'x'),
  'If-None-Match': fc.constantFrom('*', '"x"', 'W/"x"'),
  Expect: fc.constantFrom('100-continue', '200-ok'),
  Upgrade: fc.constantFrom('websocket', 'h2c'),
  'User-Agent': hostileTexts,
  __proto__x: hostileTexts,
}

const header = fc
  .constantFrom(...Object.keys(valuesByName))
  .chain((name) => valuesByName[name]!.map((value) => [name, inOneLine(value)] as const))

const cases: fc.Arbitrary<Case> = fc.record({
  method: fc.constantFrom(
    ...[
      'GET',
      'GET',
      'GET',
      'GET',
      'GET',
      'GET',
      'POST',
      'POST',
      'HEAD',
      'PUT',
      'OPTIONS',
      'DELETE',
    ],
  ),
  route: fc.constantFrom(
    ...(['login', 'login', 'login', 'logout', 'logout', 'callback', 'guard', 'silent'] as const),
  ),
  query: fc.oneof(
    fc.constant(''),
    fc.constantFrom('returnTo=/public', 'pkce-flow-moved=1', 'pkce-flow-silent=1'),
    hostileTexts,
  ),
  headers: fc.array(header, { maxLength: 5 }),
  isProxied: fc.boolean(),
})

describe('generated request headers', () => {
  const setUp: AppSetUp = {
    routes(app, flow) {
      app.get('/', async (req, res) => {
        const claims = await flow.claims(req)
        res.json({ sub: claims?.sub ?? null })
      })
      app.get('/public', (req, res) => {
        const { token } = req as { token?: { accessToken: string } }
        res.json({ token: token?.accessToken ?? null })
      })
      app.get('/silent', flow.silentLogin())
      app.use('/guard', flow.requireToken())
      app.use((_req, res) => void res.status(404).json({ code: 'none of ours' }))
    },
  }
  const plain = createWorlds(setUp)
  const trusting = createWorlds({
    ...setUp,
    before: (app) => void app.set('trust proxy', true),
  })

  after(async () => {
    await plain.close()
    await trusting.close()
  })

  holdsForAll('are answered with 2xx to 4xx, and lead nobody off', cases, (input) =>
    (input.isProxied ? trusting : plain).run((world) => bring(world, input)),
  )

  it('reached what they were made for', () => {
    for (const worlds of [plain, trusting])
      worlds.expectSeen(
        ...['302 the app', '302 the server', '204', '405', '403 cross_site_request'],
        '401 login_required',
      )
  })
})

const paths = { login: '/login', logout: '/logout', guard: '/guard', silent: '/silent' }

async function bring(world: World, { method, route, query, headers: given }: Case): Promise<void> {
  const { host, port } = new URL(world.app.origin)
  const headers = given.map(([name, value]) => {
    const real = value.replaceAll('{host}', host).replaceAll('{port}', port)
    return [name, real.replaceAll(ownOrigin, world.app.origin)] as const
  })
  const more = query === '' ? '' : `?${inOneLine(query)}`
  if (route === 'logout') return logOut(world, method, `/logout${more}`, headers)
  if (route === 'callback') return answerLogin(world, method, headers)
  const target = paths[route] + more
  await world.send(
    { method, target, headers },
    { isOfApp: route === 'guard' || route === 'silent' },
  )
}

type Headers = readonly (readonly [name: string, value: string])[]

/** Nothing in a header finishes a login, or keeps one from being finished; a method may. */
async function answerLogin(world: World, method: string, headers: Headers): Promise<void> {
  const login = await world.pending()
  const { code, state, cookie } = login
  const query = new URLSearchParams({ code, state, iss: world.app.server.issuer }).toString()
  const request = {
    method,
    target: `/callback?${query}`,
    headers: [...headers, ['Cookie', cookie] as const],
  }
  const answer = await world.send(request, { signsIn: method === 'GET' })
  if (answer === undefined) return
  if (method === 'GET' && answer.status !== 302) expect.fail(`a refusal: ${answer.raw}`)
  if (method !== 'GET') world.keepPending(login)
}

/** Another site ends nobody's session. */
async function logOut(world: World, method: string, target: string, headers: Headers) {
  const member = await world.member()
  const request = { method, target, headers: [...headers, ['Cookie', member] as const] }
  const answer = await world.send(request)
  const page = await world.send({ headers: [['Cookie', member]] }, { isOfApp: true })
  if (page?.body.includes('"sub":"bob"') === true) {
    world.keepMember(member)
    return
  }
  const value = (wanted: string) =>
    headers
      .filter(([name]) => name === wanted)
      .map(([, text]) => text.trim())
      .join(', ')
  const site = value('Sec-Fetch-Site')
  const isForeign =
    site === ''
      ? method === 'POST' && !['', world.app.origin].includes(value('Origin'))
      : !['same-origin', 'none'].includes(site)
  if (isForeign || !['GET', 'POST'].includes(method)) expect.fail(`ended a session: ${answer?.raw}`)
}
