/** How many cases run at the same time, see `holdsForAll`. */
const atOnce = 20

/** Things that cases use one at a time, as each is put back to where it was before. */
export interface Lanes<Lane> {
  use<Result>(work: (lane: Lane, round: number) => Promise<Result>): Promise<Result>
}

/** Makes one for each case that can run at a time, one after the other. */
export async function createLanes<Lane>(make: () => Promise<Lane>): Promise<Lanes<Lane>> {
  const free: Lane[] = []
  for (let made = 0; made < atOnce; made += 1) free.push(await make())
  let round = 0
  return {
    async use(work) {
      const lane = free.shift()
      if (lane === undefined) throw new Error('More cases at once than lanes')
      try {
        return await work(lane, (round += 1))
      } finally {
        free.push(lane)
      }
    },
  }
}
