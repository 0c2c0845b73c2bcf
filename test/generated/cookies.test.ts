import { expect } from 'chai'
import fc from 'fast-check'
import { holdsForAll } from './generated.ts'
import { hostileTexts, inOneLine } from './hostile-text.ts'
import { createWorlds, type World } from './world.ts'

/** A part of the header `Cookie`. */
type Part =
  | { kind: 'binding' | 'foreign binding' | 'session' | 'pair'; edits: readonly CookieEdit[] }
  /** Such as this flow's are, for logins that nobody started. */
  | { kind: 'made up'; letter: string; ids: number; time: string; secret: string }
  | { kind: 'text'; text: string }

interface CookieEdit {
  /** Characters of the pair; from its end, if negative. */
  at: number
  length: number
  text: string
}

interface Case {
  route: '/callback' | '/callback?continue=' | '/login' | '/' | '/login-only' | '/logout'
  parts: readonly Part[]
  separator: string
}

const edits: fc.Arbitrary<CookieEdit> = fc.record({
  at: fc.integer({ min: -70, max: 70 }),
  length: fc.nat({ max: 3 }),
  text: fc.oneof(
    fc.constantFrom(
      ...['', 'a', 'A', 'o', 'x', 'f', '0', '.', '=', '%', '"', ' ', ';', '; ', ',', '%22'],
    ),
    hostileTexts,
  ),
})

const parts: fc.Arbitrary<Part> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('binding', 'binding', 'foreign binding', 'session', 'pair'),
      edits: fc.oneof(fc.constant([]), fc.array(edits, { maxLength: 2 })),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('made up' as const),
      letter: fc.constantFrom('o', 'x', 'f', 'q', ''),
      ids: fc.constantFrom(1, 1, 3, 26, 100),
      time: fc.constantFrom('now', '0', 'zzzzzzzzz', 'zzzzzzzzzz', '-1', ''),
      secret: fc.oneof(fc.constant('a'.repeat(22)), hostileTexts),
    }),
  },
  {
    weight: 2,
    arbitrary: hostileTexts.map((text) => ({ kind: 'text' as const, text })),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom(
          'connect.sid',
          'pkce.',
          '__proto__',
          'pkce-silent.',
          '__Host-pkce.',
          '$Version',
        ),
        hostileTexts,
      )
      .map(([name, text]) => ({ kind: 'text' as const, text: `${name}=${text}` })),
  },
)

const cases: fc.Arbitrary<Case> = fc.record({
  route: fc.constantFrom(
    ...(['/callback', '/callback', '/callback', '/callback', '/callback?continue='] as const),
    ...(['/login', '/', '/login-only', '/logout'] as const),
  ),
  parts: fc.array(parts, { maxLength: 5 }),
  separator: fc.constantFrom('; ', '; ', '; ', ';', ' ; ', ';;', ', ', ';\t'),
})

describe('generated cookies', () => {
  const worlds = createWorlds()

  after(() => worlds.close())

  holdsForAll('are answered with 2xx to 4xx, and sign nobody in', cases, (input) =>
    worlds.run((world) => bring(world, input)),
  )

  it('reached what they were made for', () => {
    worlds.expectSeen(
      ...['302 the app', '400 login_not_found', '302 the server', '200'],
      '500 insecure_cookie',
    )
  })
})

async function bring(world: World, { route, parts: given, separator }: Case): Promise<void> {
  const login = await world.pending()
  const other = given.some(({ kind }) => kind === 'foreign binding')
    ? await world.pending()
    : undefined
  const member = await world.member()
  const cookies = { binding: login.cookie, 'foreign binding': other?.cookie ?? '', session: member }
  const written = given.map((part) => writtenPart(part, { ...cookies, pair: 'a=b' }))
  const cookie = inOneLine(written.join(separator))
  const isMember = cookie.includes(member)
  // Their session is needed for other cases.
  const path = isMember && route === '/logout' ? '/login-only' : route
  // When it was started is the browser's word only.
  const [name = '', secret = ''] = login.cookie.split(/=.*\./)
  const isBound = cookie.includes(`${name}=`) && cookie.includes(`.${secret}`)
  const answer = await world.send(
    {
      target: targetOf(path, world, login),
      headers: [
        ['Cookie', cookie],
        ...(path === '/login-only' ? [['Accept', 'text/html'] as const] : []),
      ],
    },
    {
      signsIn: isBound && path === '/callback',
      isOfApp: path === '/' || path === '/login-only',
      failures: cookie.split('=f').length > 3 ? ['insecure_cookie'] : [],
    },
  )
  world.keepMember(member)
  // Where a login begins, the oldest of the browser's make place: among so many, perhaps the real ones.
  const mayMakePlace =
    path.startsWith('/login') && given.some((part) => part.kind === 'made up' && part.ids > 20)
  if (other !== undefined && !mayMakePlace) world.keepPending(other)
  if (answer === undefined) return
  if (path === '/' && !isMember && !answer.body.includes('"sub":null'))
    expect.fail(`somebody is signed in: ${answer.raw}`)
  if (path === '/login-only' && !isMember && answer.status === 200)
    expect.fail(`somebody is let in: ${answer.raw}`)
  const isTaken = path === '/callback' && placed(answer.status)
  if (isTaken && !isBound) expect.fail(`another browser's login was finished: ${answer.raw}`)
  const first = cookie.split(';').find((pair) => pair.trim().startsWith(`${name}=`))
  if (path === '/callback' && first?.trim() === login.cookie && !isTaken)
    expect.fail(`the browser's own login was refused: ${answer.raw}`)
  if (!isTaken && !mayMakePlace) world.keepPending(login)
}

function placed(status: number): boolean {
  return status >= 300 && status < 400
}

function targetOf(
  path: Case['route'],
  world: World,
  { state, code }: { state: string; code: string },
) {
  const answer = new URLSearchParams({ code, state, iss: world.app.server.issuer }).toString()
  if (path === '/callback') return `/callback?${answer}`
  return path === '/callback?continue=' ? `${path}${'0'.repeat(32)}` : path
}

function writtenPart(
  part: Part,
  real: Record<'binding' | 'foreign binding' | 'session' | 'pair', string>,
): string {
  if (part.kind === 'text') return part.text
  if (part.kind !== 'made up') return part.edits.reduce(edited, real[part.kind])
  const prefix = real.binding.replace(/\.[0-9a-f]{32}=.*$/, '')
  const time = part.time === 'now' ? Date.now().toString(36) : part.time
  return Array.from({ length: part.ids }, (_, index) => {
    const id = (index + 1).toString(16).padStart(32, '0')
    return `${prefix}.${id}=${part.letter}${time}.${part.secret}`
  }).join('; ')
}

function edited(pair: string, { at, length, text }: CookieEdit): string {
  const start = at < 0 ? Math.max(pair.length + at, 0) : at
  return pair.slice(0, start) + text + pair.slice(start + length)
}
