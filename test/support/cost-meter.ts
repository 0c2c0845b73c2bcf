import crypto, { webcrypto } from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { MemoryStore } from 'express-session'
import type { TestAuthorizationServer } from '../../src/testing/index.ts'
import type { Page } from './browser.ts'

/** What something took, by name; what did not happen is left out. */
export type Costs = Record<string, number>

/** Counts what is done, from the last `take()` on. */
export interface CostMeter {
  /** A store whose calls count, e.g. as `session get`; a token store, too. */
  store(): MemoryStore
  /** What was counted since the last time, the requests that `server` got and the cookies of `page`. */
  take(server: TestAuthorizationServer, page?: Page): Costs
  /** Stops counting operations of node:crypto. */
  release(): void
}

type Members = Record<string, (...given: unknown[]) => unknown>

/** Kinds of rows, by the beginnings of their keys. */
const kinds: Record<string, string> = { 'pl.': 'pending login', 'tr.': 'tokens', 'lm.': 'mark' }

const counted = ['createHash', 'randomBytes', 'createCipheriv', 'createDecipheriv', 'createHmac']

/** One at a time: it counts what `src/` asks of node:crypto in this process, `src/testing/` aside. */
export function createCostMeter(): CostMeter {
  let costs: Costs = {}
  const restore: (() => void)[] = []

  function count(name: string) {
    costs[name] = (costs[name] ?? 0) + 1
  }

  function intercept(object: object, name: string, before: () => void) {
    const members = object as Members
    const usual = members[name] as Members[string]
    members[name] = function (this: unknown, ...given) {
      before()
      return usual.apply(this, given)
    }
    restore.push(() => {
      members[name] = usual
    })
  }

  for (const name of counted)
    intercept(crypto, name, () => {
      if (isAskedBySource()) count(name)
    })
  intercept(crypto, 'verify', () => {
    if (isAskedBySource()) count('signature check')
  })
  // Nobody but jose, for us, imports anything; it generates for the test server.
  intercept(webcrypto.subtle, 'importKey', () => {
    count('key import')
  })
  syncBuiltinESMExports()

  return {
    store() {
      const store = new MemoryStore()
      for (const operation of ['get', 'set', 'touch', 'destroy']) {
        const usual = (store as unknown as Members)[operation] as Members[string]
        Object.assign(store, {
          [operation](key: string, ...given: unknown[]) {
            count(`${kinds[key.slice(0, 3)] ?? 'session'} ${operation}`)
            usual.call(store, key, ...given)
          },
        })
      }
      return store
    },
    take(server, page) {
      for (const { endpoint } of server.requests)
        if (endpoint !== 'authorization') count(`${endpoint} request`)
      server.reset()
      const cookies = page?.headers['set-cookie']?.length ?? 0
      const taken = cookies === 0 ? costs : { ...costs, cookies }
      costs = {}
      return taken
    },
    release() {
      for (const step of restore) step()
      syncBuiltinESMExports()
    },
  }
}

/** Whether the nearest frame that is not Node's own, nor of this file, is one of `src/`. */
function isAskedBySource(): boolean {
  const caller = (new Error().stack ?? '')
    .split('\n')
    .slice(1)
    .find((line) => !line.includes('node:') && !line.includes('cost-meter'))
  return caller !== undefined && /\/src\/(?!testing\/)/.test(caller)
}
