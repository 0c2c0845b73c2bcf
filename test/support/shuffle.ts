/** Seed of this run's random orders; `SEED=…` repeats one. */
export const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e6))

/** The items in an order that only `seed` and `salt` decide. */
export function shuffled<T>(items: readonly T[], salt = 0): T[] {
  const random = randomNumbers(seed + salt)
  const result = [...items]
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1))
    ;[result[last], result[other]] = [result[other]!, result[last]!]
  }
  return result
}

/** mulberry32: numbers from 0 to below 1. */
function randomNumbers(from: number): () => number {
  let state = from
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
