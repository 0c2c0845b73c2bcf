import { expect } from 'chai'
import { clock } from '../support/clock.ts'
import type { StepPerformers } from './step.ts'
import { tabOf } from './world.ts'

/** Steps of the authorization server. */
export const serverSteps = {
  server: ({ server }, { misbehaviour }) => void server.misbehave([misbehaviour]),
  'server behaves': ({ server }) => server.behave(),
  'server stops': ({ server }) => server.stop(),
  'server starts': ({ server }) => server.start(),
  async 'server got'({ server }, { endpoint, count }) {
    await server.received(endpoint, count)
  },
  'requests are'({ server }, { endpoint, count }) {
    expect(server.count(endpoint), `requests at ${endpoint}`).to.equal(count)
  },
  'keys rotate': ({ server }) => server.rotateKeys(),
  'keys rotate, ids kept': ({ server }) => server.rotateKeys({ keepKid: true }),
  'authorize as': ({ server }, { sub }) => server.authorizeAs(sub),
  'redirect to the second server'({ server, secondServer }, { endpoint }) {
    const { jwks_uri, userinfo_endpoint, issuer } = secondServer!.metadata
    const location = {
      jwks: jwks_uri,
      userinfo: userinfo_endpoint,
      discovery: `${issuer}/.well-known/openid-configuration`,
    }[endpoint]
    server.misbehave(endpoint, { answer: { status: 302, headers: { location } } })
  },
} satisfies Partial<StepPerformers>

/** Steps of the store, and of time. */
export const storeSteps = {
  store({ stores }, { fault }) {
    for (const store of stores) store.misbehave(fault)
  },
  'store behaves'({ stores }) {
    for (const store of stores) store.behave()
  },
  'store catches up'({ stores }) {
    for (const store of stores) store.catchUp()
  },
  'store disconnects': ({ stores }) => void stores[0].emit('disconnect'),
  'store connects': ({ stores }) => void stores[0].emit('connect'),
  drop({ stores: [store] }, { what }) {
    for (const key of store.keys(what)) store.drop(key)
  },
  tamper({ stores: [store] }, { what, change }) {
    const keys = store.keys(what)
    expect(keys, `stored ${what}`).not.to.be.empty
    for (const key of keys) store.write(key, change(store.read(key)))
  },
  'session holds'({ stores: [store] }, { members }) {
    for (const key of store.keys('session'))
      expect(Object.keys(store.read(key))).to.have.members([...members])
  },
  'another process is at it'(world, { tab }) {
    const [store] = world.stores
    const key = `pl.${tabOf(world, tab).id}`
    const row = store.read(key)
    world.otherProcess.finish = () => store.write(key, row)
    const outcome = { status: 'taken', at: Date.now() }
    store.write(key, { ...row, content: { ...row.content, outcome } })
  },
  'let time pass': (_world, { milliseconds }) => clock.advance(milliseconds),
} satisfies Partial<StepPerformers>
