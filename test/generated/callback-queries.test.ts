import { expect } from 'chai'
import fc from 'fast-check'
import { holdsForAll } from './generated.ts'
import { inOneLine } from './hostile-text.ts'
import { isUnchanged, type Parameters, parametersLike, write } from './parameters.ts'
import { createWorlds, type World, type Worlds } from './world.ts'

/** Who comes with a query to the callback route. */
interface Case {
  /** Which login the real parameters are of. */
  login: 'own' | 'own code refused' | 'spent' | 'made up'
  /** What else the browser has. */
  cookies: 'its own' | 'none' | "somebody else's"
  parameters: Parameters
  path: string
  isExtended: boolean
}

/** Other answers of an authorization server than a code, and answers of others. */
const meaningful = Object.entries({
  error: [
    ...['access_denied', 'server_error', 'temporarily_unavailable', 'invalid_scope'],
    ...['login_required', 'invalid_request', 'made_up', '__proto__', ''],
  ],
  iss: ['https://evil.example', ''],
  code: ['A'.repeat(43), ''],
  state: ['A'.repeat(43)],
}).flatMap(([name, texts]) => texts.map((text) => [name, text] as const))

const cases: fc.Arbitrary<Case> = fc.record({
  login: fc.constantFrom('own', 'own', 'own', 'own code refused', 'spent', 'made up'),
  cookies: fc.constantFrom('its own', 'its own', 'its own', 'none', "somebody else's"),
  parameters: parametersLike(['code', 'state', 'iss'], meaningful),
  path: fc.constantFrom(
    ...['/callback?', '/callback?', '/callback?', '/callback?', '/callback/?', '/callback??'],
    ...['/callback?&', '/callback?continue=', '/callback?error=access_denied&'],
  ),
  isExtended: fc.boolean(),
})

/** What an answer may report: the authorization server's failures, in its own words. */
const failures = ['authorization_failed', 'server_unavailable', 'client_rejected']

describe('generated callback queries', () => {
  const parsers = { simple: worldWith('simple'), extended: worldWith('extended') }

  function worldWith(parser: string): Worlds {
    return createWorlds({ before: (express) => void express.set('query parser', parser) })
  }

  after(async () => {
    for (const worlds of Object.values(parsers)) await worlds.close()
  })

  holdsForAll('are answered with 2xx to 4xx, and sign nobody in', cases, (input) =>
    parsers[input.isExtended ? 'extended' : 'simple'].run((world) => bring(world, input)),
  )

  it('reached what they were made for', () => {
    for (const worlds of Object.values(parsers))
      worlds.expectSeen(
        ...['302 the app', '302 the server', '400 invalid_callback', '400 login_not_found'],
        ...['400 code_rejected', '400 issuer_mismatch', '403 access_denied'],
        '502 authorization_failed',
      )
  })
})

async function bring(world: World, input: Case): Promise<void> {
  const { login, cookies, parameters, path } = input
  const about = login === 'spent' ? await world.spent() : await world.pending()
  const other = cookies === "somebody else's" ? await world.pending() : undefined
  const cookie = { 'its own': about.cookie, none: '', "somebody else's": other?.cookie }[cookies]
  const { state, code } = about
  const real = {
    state: login === 'made up' ? 'A'.repeat(43) : state,
    code: login === 'own code refused' ? 'A'.repeat(43) : code,
    iss: world.app.server.issuer,
  }
  const target = inOneLine(path + write(parameters, real))
  const query = new URLSearchParams(target.slice(target.indexOf('?') + 1))
  const isOwn = cookie === about.cookie && isOnly(query, 'state', state)
  const answer = await world.send(
    { target, headers: cookie === undefined || cookie === '' ? [] : [['Cookie', cookie]] },
    {
      // What became of a login is remembered, whatever its code is called the next time.
      signsIn: isOwn && (login === 'spent' || isOnly(query, 'code', code)),
      failures: isOwn && query.has('error') ? failures : [],
    },
  )
  if (answer?.status === 302 && !isOwn) expect.fail(`no refusal: ${answer.raw}`)
  if (isWhole(input) && answer?.status !== 302) expect.fail(`a refusal: ${answer?.raw}`)
  if (other !== undefined) world.keepPending(other)
  if (login === 'spent' || answer?.status === 302) world.keepSpent(about)
  // An answer with an empty error is one, and the login's only one.
  else if (answer !== undefined && isNoAnswer(answer.body) && !(isOwn && query.has('error')))
    world.keepPending(about)
}

/** A query that the authorization server could have answered with. */
function isWhole({ login, cookies, parameters, path }: Case): boolean {
  const isBrought = cookies === 'its own' && ['/callback?', '/callback/?'].includes(path)
  const isAll = isUnchanged(parameters) && parameters.list.length === 3
  return isAll && isBrought && (login === 'own' || login === 'spent')
}

/** Whether the login that was meant must be there as before. */
function isNoAnswer(body: string): boolean {
  return /"code":"(invalid_callback|login_not_found)"/.test(body)
}

function isOnly(query: URLSearchParams, name: string, value: string): boolean {
  return query.getAll(name).join() === value
}
