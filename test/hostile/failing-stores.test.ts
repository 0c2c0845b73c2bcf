import { expect } from 'chai'
import { type Call, type Fault, isPossible } from './faulty-calls.ts'
import { hostileFlows } from './store-flows.ts'
import { exceptionsFor } from './store-exceptions.ts'
import type { HostileFlow } from './store-scene.ts'
import { createStoreWorld, type StoreWorld, type Told } from './store-world.ts'

const faults: readonly Fault[] = [
  'fails',
  'throws',
  'fails, having done it',
  'hangs',
  'comes late',
  'comes last',
  'answers, then fails',
  'answers twice',
  'says no',
]

/** Of the flows that are not the main ones, within the time that a run may take: about a second each. */
const telling: readonly Fault[] = ['fails', 'fails, having done it', 'hangs']

/** `ALL_FAULTS=1`: every fault in every flow, as before a release. */
const triesAll = process.env.ALL_FAULTS === '1'

const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other)

/** What a flow does when every call works. */
interface Usual {
  calls: readonly Call[]
  before: Told
  told: Told
  /** Whether a code is sent: what was there before may be forgotten, then. */
  isLogin: boolean
}

/**
 * Every call of a store and of a lock at fault, one at a time, in every way, in every flow. What has to
 * hold is the same for all: rules below, and exceptions with their reasons.
 */
describe('stores and locks that fail (rows D-69 to D-78)', () => {
  for (const flow of hostileFlows)
    describe(flow.name, () => {
      let world: StoreWorld
      let usual: Usual

      before(async () => {
        world = await createStoreWorld(flow)
        usual = await findUsual(world, flow)
      })
      after(() => world.close())

      it('without a fault', () => {
        expect(world.violations(usual.isLogin ? world.issued - 1 : 0)).to.deep.equal([])
        expect(usual.told.answers.at(-1)).to.match(/^(200|401) /)
        expect(usual.calls).to.not.be.empty
      })

      for (const fault of flow.isMain === true || triesAll ? faults : telling)
        it(`each call ${fault}`, async function () {
          this.timeout(120_000)
          const wrong: string[] = []
          for (const [index, call] of usual.calls.entries()) {
            if (!isPossible(call, fault)) continue
            const found = await tryFault(world, flow, usual, index, fault)
            const spoilt = world.faults.calls[index] ?? call
            const { place, operation, kind, byExpressSession } = spoilt
            const name = `${index}: ${place} ${operation} ${kind}${byExpressSession ? ' by express-session' : ''}`
            const unexpected = found.filter(
              (each) =>
                !exceptionsFor(flow, spoilt, fault).some((allowed) => each.startsWith(allowed)),
            )
            if (unexpected.length > 0) wrong.push(`${name}: ${unexpected.join('; ')}`)
          }
          expect(wrong.join('\n')).to.equal('')
        })
    })
})

async function findUsual(world: StoreWorld, flow: HostileFlow): Promise<Usual> {
  const before = await world.look(await world.begin())
  const scene = await world.begin()
  const exchanges = world.exchanges
  world.faults.spoil()
  const told = await world.perform(scene, flow.act)
  await world.settle(1_500)
  return { calls: [...world.faults.calls], before, told, isLogin: world.exchanges > exchanges }
}

/** Does it with one call at fault, then again; gives what is wrong. */
async function tryFault(
  world: StoreWorld,
  flow: HostileFlow,
  { calls, before, told: usual, isLogin }: Usual,
  index: number,
  fault: Fault,
): Promise<string[]> {
  const scene = await world.begin()
  const wrong: string[] = []
  let issuedBefore = isLogin ? world.issued : 0
  const exchanges = world.exchanges
  world.faults.spoil(index, fault)
  try {
    const told = await world.perform(scene, flow.act)
    const isSuccess = same(told.answers, usual.answers)
    // Somebody who is not signed in gets the page, too, if that is all they asked for.
    const isLetIn = flow.isOptional === true && told.answers.at(-1) === usual.answers.at(-1)
    if (!isSuccess && !isLetIn)
      wrong.push(...wrongAnswer(world.faults.calls[index] ?? calls[index]!, told, usual))
    for (const [name, now, was, willBe] of [
      ['state', told.state, before.state, usual.state],
      ['state of the old cookies', told.oldState, before.oldState, usual.oldState],
    ] as const)
      if (!same(now, willBe) && (isSuccess || !same(now, was)))
        wrong.push(`${isSuccess ? 'false success' : 'after it'}: ${name} ${JSON.stringify(now)}`)
    if (fault === 'comes late') await world.settle(8_000)
    // A lease that nobody gives back ends by itself.
    await world.settle(calls[index]?.place === 'lock' ? 13_000 : 500)
    const isSpent = world.exchanges > exchanges
    // What hangs may still be in hand.
    if (!['hangs', 'comes last'].includes(fault))
      wrong.push(...world.violations(issuedBefore).map((each) => `after it: ${each}`))

    let issuedLast = world.issued
    let again = await world.perform(scene, flow.act)
    const arrived = () => again.answers.at(-1) === usual.answers.at(-1)
    const isRefused = !arrived() && isSpent && again.code !== undefined
    const isPassed = flow.isOptional === true && !same(again.state, usual.state)
    if (flow.anew !== undefined && (isRefused || isPassed)) {
      issuedLast = world.issued
      again = await world.perform(scene, flow.anew)
    }
    if (!arrived()) wrong.push(`again: ${again.answers.at(-1)} ${again.code}`)
    if (!same(again.state, usual.state)) wrong.push(`again: state ${JSON.stringify(again.state)}`)

    world.faults.doLast()
    await world.settle(3_000)
    const end = await world.look(scene)
    if (!same(end.state, again.state)) wrong.push(`at last: state ${JSON.stringify(end.state)}`)
    if (isLogin && world.issued > issuedLast) issuedBefore = issuedLast
    wrong.push(...world.violations(issuedBefore).map((each) => `at last: ${each}`))
  } catch (error) {
    wrong.push(String(error))
  }
  return wrong
}

/** Only the closed list's code for what failed, where something else was to come. */
function wrongAnswer(call: Call, { answers, code }: Told, usual: Told): string[] {
  const last = answers.at(-1) ?? ''
  const where = (usual.answers[answers.length - 1] ?? '').split(' ')[1]
  const isInOrder = same(answers.slice(0, -1), usual.answers.slice(0, answers.length - 1))
  const expected = call.place === 'lock' ? 'lock_unavailable' : 'store_unavailable'
  // What the store tells express-session, it tells the app; or nobody, and the browser gives up.
  const isExpected = call.byExpressSession
    ? last === 'lost' || (last === `500 ${where}` && code === 'unknown')
    : last === `503 ${where}` && code === expected
  return isInOrder && isExpected ? [] : [`answer: ${answers.join(', ')} ${code}`]
}
