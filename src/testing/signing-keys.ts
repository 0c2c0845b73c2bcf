import { exportJWK, generateKeyPair, type CryptoKey, type JWK, type JSONWebKeySet } from 'jose'

/** `alg` of what the test authorization server signs. */
export type SigningAlgorithm = 'ES256' | 'ES384' | 'RS256' | 'PS256' | 'EdDSA'

/** A private key with its public half as it is published. */
export interface SigningKey {
  readonly kid: string
  readonly alg: SigningAlgorithm
  readonly privateKey: CryptoKey
  readonly publicJwk: JWK
}

/** The server's keys. Nothing is generated before it is needed, since an RSA key takes a while. */
export interface SigningKeys {
  /** The current key for `alg`; from now on in the key set. */
  current(alg: SigningAlgorithm): Promise<SigningKey>
  /** A key for `alg` that is never published. */
  foreign(alg: SigningAlgorithm): Promise<SigningKey>
  /** What is published, with so many further keys of the default algorithm that sign nothing. */
  keySet(decoys: number): Promise<JSONWebKeySet>
  /** Forgets all keys; new ones get new key ids unless `keepKid`. */
  rotate(keepKid: boolean): void
}

async function createKey(alg: SigningAlgorithm, kid: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const publicJwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }
  return { kid, alg, privateKey, publicJwk }
}

/** Keys of one server; `defaultAlgorithm` is always in the key set. */
export function createSigningKeys(defaultAlgorithm: SigningAlgorithm): SigningKeys {
  const published = new Map<SigningAlgorithm, Promise<SigningKey>>()
  const foreign = new Map<SigningAlgorithm, Promise<SigningKey>>()
  const decoys: Promise<SigningKey>[] = []
  let generation = 1

  function lazily(
    keys: Map<SigningAlgorithm, Promise<SigningKey>>,
    alg: SigningAlgorithm,
    name: string,
  ): Promise<SigningKey> {
    const key = keys.get(alg) ?? createKey(alg, `${name}-${alg}-${generation}`)
    keys.set(alg, key)
    return key
  }

  return {
    current: (alg) => lazily(published, alg, 'key'),
    foreign: (alg) => lazily(foreign, alg, 'foreign'),

    async keySet(decoyCount) {
      while (decoys.length < decoyCount)
        decoys.push(createKey(defaultAlgorithm, `decoy-${decoys.length + 1}`))
      await lazily(published, defaultAlgorithm, 'key')
      const keys = await Promise.all([...published.values(), ...decoys.slice(0, decoyCount)])
      return { keys: keys.map((key) => key.publicJwk) }
    },

    rotate(keepKid) {
      published.clear()
      if (!keepKid) generation += 1
    },
  }
}
