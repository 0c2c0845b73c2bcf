import { expect } from 'chai'
import type { ErrorRequestHandler } from 'express'
import fc from 'fast-check'
import type { AppSetUp } from '../support/app.ts'
import { holdsForAll } from './generated.ts'
import { encode, encodings, type Encoding, inOneLine } from './hostile-text.ts'
import { type Parameters, parametersLike, write } from './parameters.ts'
import { ownOrigin, places } from './places.ts'
import { expectKnownPlace, placeOf } from './properties.ts'
import type { WireRequest } from './raw-client.ts'
import { createWorlds, type World } from './world.ts'

type Entrance =
  | 'logout'
  | 'login'
  | 'login, finished'
  | 'third party'
  | 'guard'
  | 'guard, by a link'
  | 'silent'

interface Case {
  entrance: Entrance
  place: string
  encoding: Encoding
  /** What else there is, at the entrance for third parties. */
  parameters: Parameters
  isStrict: boolean
}

const cases: fc.Arbitrary<Case> = fc.record({
  entrance: fc.constantFrom<Entrance[]>(
    ...(['logout', 'logout', 'logout', 'login', 'login', 'login', 'login, finished'] as const),
    ...(['third party', 'third party', 'guard', 'guard', 'guard, by a link', 'silent'] as const),
  ),
  place: places,
  encoding: encodings,
  parameters: parametersLike(['iss', 'login_hint', 'target_link_uri']),
  isStrict: fc.boolean(),
})

/** As in the README: the page for an error links to where a person can start again. */
const linkToLogin: ErrorRequestHandler = (error: { loginUrl?: string }, _req, res, next) => {
  if (error.loginUrl !== undefined) res.setHeader('X-Login-Url', error.loginUrl)
  next(error)
}

const setUp: AppSetUp = {
  flow: { returnToOrigins: ['https://shop.example'] },
  // A logout that went to the server would not lead to returnTo.
  serverOptions: { codeLifetime: 3_600_000, metadata: { end_session_endpoint: undefined } },
  routes(app, flow) {
    app.get('/public', (req, res) => {
      const { token } = req as { token?: { accessToken: string } }
      res.json({ token: token?.accessToken ?? null })
    })
    app.get(/^\/silent/, flow.silentLogin())
    app.use(flow.requireToken())
    app.use((_req, res) => void res.json({}))
    app.use(linkToLogin)
  },
}

describe('generated places to return to', () => {
  const lax = createWorlds(setUp)
  const strict = createWorlds({ ...setUp, session: { cookie: { sameSite: 'strict' } } })

  after(async () => {
    await lax.close()
    await strict.close()
  })

  holdsForAll('are places of the app, or lead to the default', cases, (input) =>
    (input.isStrict ? strict : lax).run((world) => enter(world, input)),
  )

  it('reached what they were made for', () => {
    const kinds = ['302 the app', '302 elsewhere', '302 the server', '403 access_denied']
    lax.expectSeen(...kinds)
    strict.expectSeen(...kinds, '200 the app')
  })
})

const navigation = ['Accept', 'text/html'] as const

async function enter(world: World, { entrance, place, encoding, parameters }: Case): Promise<void> {
  const { origin, server } = world.app
  const asked = place.replaceAll(ownOrigin, origin)
  const returnTo = inOneLine(`returnTo=${encode(asked, encoding)}`)
  switch (entrance) {
    case 'logout': {
      await world.send({ target: `/logout?${returnTo}` })
      return
    }
    case 'login':
      return leadsHome(world, { target: `/login?${returnTo}` })
    case 'login, finished':
      return finishes(world, `?${returnTo}`)
    case 'third party': {
      const real = { iss: server.issuer, login_hint: 'bob', target_link_uri: asked }
      return leadsHome(world, { target: inOneLine(`/login?${write(parameters, real)}`) })
    }
    case 'guard':
      return leadsHome(world, { target: inOneLine(asked), headers: [navigation] })
    case 'guard, by a link': {
      const headers = [navigation, ['Sec-Fetch-Site', 'cross-site']] as const
      return leadsHome(world, { target: inOneLine(asked), headers })
    }
    case 'silent':
      return leadsHome(world, { target: inOneLine(`/silent${asked}`), headers: [navigation] })
  }
}

/** Whatever a login is started with, it comes back to the app, also when it is started again. */
async function leadsHome(world: World, request: WireRequest): Promise<void> {
  const answer = await world.send(request, { isOfApp: true })
  const started = answer && world.startedBy(answer)
  if (started === undefined) return
  const refused = await world.bring(started, { error: 'access_denied' })
  // A silent login goes back to where it came from, and makes no words.
  const place = refused && placeOf(refused)
  if (place !== undefined) {
    isHome(world, place)
    return
  }
  const [loginUrl] = refused?.headers.get('x-login-url') ?? []
  if (loginUrl === undefined) expect.fail(`no place to log in: ${refused?.raw}`)
  const again = new URL(loginUrl, world.app.origin)
  expect(again.origin + again.pathname).to.equal(world.app.url('/login'))
  isHome(world, again.searchParams.get('returnTo') ?? '')
}

async function finishes(world: World, query: string): Promise<void> {
  const login = await world.pending(query)
  if (login !== undefined) isHome(world, placeOf(await world.finish(login)) ?? '')
}

/** A place of the app that is no step of a login, or of an origin that it named. */
function isHome(world: World, landing: string): void {
  const place = expectKnownPlace(landing, world.app.origin, world.destinations)
  if (!world.destinations.origins.includes(place.origin)) expect.fail(`leads off: ${landing}`)
  const isRoute = /^\/(login|callback|logout)\/?$/.test(place.pathname)
  if (isRoute && place.origin === world.app.origin) expect.fail(`leads round: ${landing}`)
}
