import { expect } from 'chai'
import { ConfigurationError, pkceFlow } from '../../src/index.ts'
import { documentedRows } from './documented-rows.ts'
import { exemptParts, exemptRows } from './exempt-rows.ts'
import { type Before, beforeOf, type OptionRow, type Row } from './row.ts'
import { runRow } from './run-row.ts'
import type { Step } from './step.ts'
import { optionRows, rows, testedRows, titleOf } from './table.ts'
import { createWorld, type World } from './world.ts'

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

  for (const row of optionRows) it(titleOf(row), () => checkOptions(row))

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
  const exempt = Object.keys(exemptRows)
  const cases = rows.length + optionRows.length

  it(`${documentedRows.length} rows: ${testedRows.length} are tested, in ${cases} cases, ${exempt.length} are exempt`, () => {
    expect([...testedRows, ...exempt].sort()).to.deep.equal([...documentedRows].sort())
  })

  for (const [id, reason] of Object.entries(exemptRows))
    it(`exempt is ${id}: ${reason}`, () => {
      expect(testedRows).not.to.include(id)
    })

  for (const [id, reason] of Object.entries(exemptParts))
    it(`exempt is a part of ${id}: ${reason}`, () => {
      expect(testedRows).to.include(id)
    })

  it('rows that run at the same time leave the clock alone', () => {
    for (const row of rows.filter(({ slow }) => slow))
      expect(
        row.steps.map((step) => step.do),
        titleOf(row),
      ).not.to.include('let time pass')
  })

  it('no two tests have the same title', () => {
    const titles = [...rows, ...optionRows].map((row) => titleOf(row))
    expect(titles.filter((title, at) => titles.indexOf(title) < at)).to.deep.equal([])
  })
})
