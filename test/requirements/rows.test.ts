import { expect } from 'chai'
import { ConfigurationError, pkceFlow } from '../../src/index.ts'
import { initiatedLogin } from './initiated-login.ts'
import { exemptRows, laterRows, openParts } from './later-rows.ts'
import { pushedRequests } from './pushed-requests.ts'
import { type Before, beforeOf, type OptionRow, type Row } from './row.ts'
import { runRow } from './run-row.ts'
import { sectionA } from './section-a.ts'
import { sectionC01 } from './section-c-01.ts'
import { sectionC16 } from './section-c-16.ts'
import { sectionC20 } from './section-c-20.ts'
import { sectionC28 } from './section-c-28.ts'
import { sectionC32 } from './section-c-32.ts'
import { sectionCOptions } from './section-c-options.ts'
import { sectionD01 } from './section-d-01.ts'
import { sectionD11 } from './section-d-11.ts'
import { sectionD21 } from './section-d-21.ts'
import { sectionD32 } from './section-d-32.ts'
import { sectionD48 } from './section-d-48.ts'
import { sectionD55 } from './section-d-55.ts'
import { sectionD60 } from './section-d-60.ts'
import { sectionD69 } from './section-d-69.ts'
import { sectionD79 } from './section-d-79.ts'
import { sectionLogout } from './section-logout.ts'
import type { Step } from './step.ts'
import { createWorld, type World } from './world.ts'

const rows: readonly Row[] = [
  sectionA,
  sectionC01,
  sectionC16,
  sectionC20,
  sectionC28,
  sectionC32,
  sectionD01,
  sectionD11,
  sectionD21,
  sectionD32,
  sectionD48,
  sectionD55,
  sectionD60,
  sectionD69,
  sectionD79,
  sectionLogout,
  initiatedLogin,
  pushedRequests,
].flat()

const titleOf = (row: { id: string; title: string }, before?: Before): string =>
  `${row.id}: ${row.title}${before === 'bob' ? ' (somebody is signed in)' : ''}`

/** Steps after which a world is not as it was: what the flow remembers of its server has changed. */
const lasting = new Set<Step['do']>(['let time pass', 'keys rotate', 'keys rotate, ids kept'])

function needsOwnWorld({ app, server, misbehaviours, steps, expect: { tokens } }: Row): boolean {
  return (
    app !== undefined ||
    server !== undefined ||
    misbehaviours !== undefined ||
    // Those that were kept from another row may have been revoked since.
    tokens !== undefined ||
    steps.some(
      (step) =>
        lasting.has(step.do) ||
        (step.do === 'server' && ['discovery', 'jwks'].includes(step.misbehaviour.endpoint)),
    )
  )
}

async function runAlone(row: Row, before: Before): Promise<void> {
  const world = await createWorld(row)
  try {
    await runRow(row, before, world)
  } finally {
    await world.close()
  }
}

describe('requirements, row by row', () => {
  let shared: World
  before(async () => {
    shared = await createWorld({})
  })
  after(() => shared.close())

  for (const row of rows.filter(({ slow }) => !slow))
    for (const state of beforeOf(row))
      it(titleOf(row, state), async () => {
        if (needsOwnWorld(row)) return runAlone(row, state)
        await shared.reset()
        return runRow(row, state, shared)
      })

  for (const row of sectionCOptions) it(titleOf(row), () => checkOptions(row))

  describe('what takes seconds, all at once', () => {
    const running = new Map<string, Promise<void>>()
    const slow = rows
      .filter((row) => row.slow)
      .flatMap((row) => beforeOf(row).map((state) => ({ row, state, title: titleOf(row, state) })))
    before(() => {
      for (const { row, state, title } of slow) {
        const run = runAlone(row, state)
        run.catch(() => undefined) // for the test of this row
        running.set(title, run)
      }
    })
    for (const { title } of slow) it(title, () => running.get(title))
  })
})

function checkOptions({ options, refused }: OptionRow): void {
  const make = (): unknown =>
    pkceFlow({
      issuer: 'https://server.example',
      clientId: 'test-client',
      redirectUri: 'https://app.example/callback',
      ...options,
    })
  if (refused === '') make()
  else
    expect(make).to.throw(ConfigurationError, `"${refused}`).with.property('code', 'configuration')
}

describe('requirements: no row is forgotten', () => {
  const numbers = (section: string, count: number, width: number): string[] =>
    Array.from({ length: count }, (_, at) => `${section}-${String(at + 1).padStart(width, '0')}`)
  const basic = [
    '',
    '-invalid-iss',
    '-missing-sub',
    '-invalid-aud',
    '-missing-iat',
    '-kid-absent-single-jwks',
    '-kid-absent-multiple-jwks',
    '-idtoken-sig-rs256',
    '-idtoken-sig-none',
    '-invalid-sig-rs256',
    '-userinfo-invalid-sub',
    '-nonce-invalid',
    '-scope-userinfo-claims',
    '-client-secret-basic',
  ].map((name) => `A1 oidcc-client-test${name}`)
  const config = [
    '-discovery-openid-config',
    '-discovery-jwks-uri-keys',
    '-discovery-issuer-mismatch',
    '-idtoken-sig-none',
    '-signing-key-rotation-just-before-signing',
    '-signing-key-rotation',
  ].map((name) => `A2 oidcc-client-test${name}`)
  const refresh = ['', '-invalid-issuer', '-invalid-sub'].map(
    (name) => `A3 oidcc-client-test-refresh-token${name}`,
  )
  const logout = [
    ...['', '-other-state', '-no-state'].map(
      (name) => `A4 oidcc-client-test-rp-init-logout${name}`,
    ),
    ...[
      '',
      '-alg-none',
      '-wrong-alg',
      '-no-event',
      '-wrong-event',
      '-with-nonce',
      '-wrong-aud',
      '-wrong-iss',
    ].map((name) => `A5 oidcc-client-test-rp-backchannel-rpinitlogout${name}`),
    ...['rpinitlogout', 'opinitlogout'].map(
      (name) => `A6 oidcc-client-test-rp-frontchannel-${name}`,
    ),
  ]
  const documented = [
    ...basic,
    ...config,
    ...refresh,
    ...logout,
    'A7 oidcc-client-test-3rd-party-init-login',
    ...numbers('C', 46, 2),
    ...numbers('D', 88, 1),
  ]

  const tested = [...new Set([...rows, ...sectionCOptions].map(({ id }) => id))]
  const left = Object.values(laterRows).flat()
  const exempt = Object.keys(exemptRows)

  it('each is tested, left to a later issue, or exempt: exactly one of these', () => {
    expect([...tested, ...left, ...exempt].sort()).to.deep.equal([...documented].sort())
  })

  it('what is left of a row is said of rows that are tested', () => {
    expect(tested).to.include.members(Object.keys(openParts))
  })

  it('rows that run at the same time leave the clock alone', () => {
    for (const row of rows.filter(({ slow }) => slow))
      expect(
        row.steps.map((step) => step.do),
        titleOf(row),
      ).not.to.include('let time pass')
  })

  it('no two tests have the same title', () => {
    const titles = [...rows, ...sectionCOptions].map((row) => titleOf(row))
    expect(titles.filter((title, at) => titles.indexOf(title) < at)).to.deep.equal([])
  })

  after(() => {
    const cases = rows.length + sectionCOptions.length
    const later = Object.entries(laterRows).map(([subject, ids]) => `${ids.length} ${subject}`)
    console.log(
      `    ${documented.length} rows: ${tested.length} tested in ${cases} cases, ` +
        `${left.length} left to later issues (${later.join(', ')}), ${exempt.length} exempt; ` +
        `${Object.keys(openParts).length} of the tested ones have a part that is left`,
    )
  })
})
