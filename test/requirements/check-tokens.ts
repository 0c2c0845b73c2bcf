import { expect } from 'chai'
import type { Expectation } from './row.ts'
import { until } from './waiting.ts'
import type { World } from './world.ts'

/** What became of the tokens that were there, and how they are stored. */
export async function checkTokens(
  world: World,
  { tokens, sealed, keptRefreshTokens }: Expectation,
): Promise<void> {
  const [store] = world.stores
  const stored = (): string =>
    JSON.stringify(store.keys('tokens').map((key) => store.read(key).content))
  const who = tokens && (await world.who(world.browser('main')))
  if (who) expect(who.signedIn, 'still signed in').to.equal(true)
  if (tokens === 'kept') expect(stored()).to.include(world.server.issued.at(-1)!.refreshToken)
  if (tokens === 'refreshed') {
    const { accessToken, refreshToken } = world.server.issued.at(-1)!
    expect(who?.token, 'the new token').to.equal(accessToken)
    // A store that was down gets it a little later.
    if (!sealed) await until(() => stored().includes(accessToken))
    if (!sealed && refreshToken && !keptRefreshTokens) expect(stored()).to.include(refreshToken)
  }
  if (tokens === 'ended') {
    expect(who?.token, 'no token').to.equal(null)
    expect(stored(), 'no token is stored').not.to.match(/accessToken|refreshToken/)
  }
  if (!sealed) return
  for (const kind of ['session', 'pending login', 'tokens'] as const)
    for (const key of store.keys(kind))
      for (const secret of world.secrets())
        expect(JSON.stringify(store.read(key)), `what is stored as ${kind}`).not.to.include(secret)
}
