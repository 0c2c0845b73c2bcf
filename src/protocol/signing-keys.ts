import type { JWTVerifyGetKey } from 'jose'
import { createRemoteJWKSet, customFetch } from 'jose/jwks/remote'
import { PkceFlowError } from '../errors.ts'
import { isPassing, jsonObject, unavailable } from './json-response.ts'
import type { Transport } from './transport.ts'
import { toWebResponse } from './web-response.ts'

/** The keys that an authorization server signs with, fetched when first needed. */
export interface SigningKeys {
  /** Finds the key for a signature. */
  readonly find: JWTVerifyGetKey
  /**
   * The same for what anybody can send: keys that could not be had are not asked for again within ten
   * seconds, and the error is the one of then.
   */
  readonly findSparingly: JWTVerifyGetKey
  /** How often the keys have been fetched. */
  generation(): number
  /** Fetches the keys again: at most once a second, together with everybody else who asks. */
  refetch(): Promise<void>
  /**
   * The same for what anybody can send: at most once in ten seconds, else does nothing and resolves
   * to false.
   */
  refetchSparingly(): Promise<boolean>
}

/** The least time between two fetches, in milliseconds. */
const refetchInterval = 1_000
const sparingInterval = 10_000

/** The JWK Set at `jwks_uri` (RFC 7517 section 5), kept for ten minutes. */
export function createSigningKeys(jwksUri: string, transport: Transport): SigningKeys {
  let generation = 0
  let fetchedAt = 0
  let sparedAt = 0
  let refetching: Promise<void> | undefined
  let failure: { at: number; error: unknown } | undefined

  async function fetchKeySet(url: string, headers: Headers) {
    const response = await transport(new URL(url), {
      method: 'GET',
      headers: Object.fromEntries(headers),
      redirects: 3,
    })
    if (isPassing(response)) throw unavailable(response)
    const json = response.status === 200 ? jsonObject(response) : undefined
    if (!Array.isArray(json?.keys))
      throw new PkceFlowError(
        'invalid_server_response',
        "The authorization server's signing keys (jwks_uri) are not a JWK Set.",
      )
    return json
  }

  const keys = createRemoteJWKSet(new URL(jwksUri), {
    // Who meets an unknown key decides: see refetch().
    cooldownDuration: Infinity,
    // The transport has a limit of its own.
    timeoutDuration: 2 ** 31 - 1,
    [customFetch]: async (url, { headers }) => {
      try {
        const json = await fetchKeySet(url, headers)
        generation += 1
        fetchedAt = Date.now()
        failure = undefined
        return toWebResponse(json)
      } catch (error) {
        failure = { at: Date.now(), error }
        throw error
      }
    },
  })

  async function fetchAgain() {
    const wait = Math.min(fetchedAt + refetchInterval - Date.now(), refetchInterval)
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    await keys.reload()
  }

  function refetch() {
    refetching ??= fetchAgain().finally(() => {
      refetching = undefined
    })
    return refetching
  }

  return {
    find: keys,
    async findSparingly(header, token) {
      const isRemembered = failure && Math.abs(Date.now() - failure.at) < sparingInterval
      if (isRemembered && !keys.fresh) throw failure?.error
      return keys(header, token)
    },
    generation: () => generation,
    refetch,
    async refetchSparingly() {
      if (Math.abs(Date.now() - sparedAt) < sparingInterval) return false
      sparedAt = Date.now()
      await refetch()
      return true
    },
  }
}
