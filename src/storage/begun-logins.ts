/** The pending logins that this process began, as long as their records can be in the store. */
export interface BegunLogins {
  add(id: string): void
  /** Ids of some that have expired, two at most: more than are added, so that none stays behind. */
  takeExpired(): string[]
}

interface Begun {
  id: string
  /** Milliseconds since the epoch. */
  at: number
  next: Begun | undefined
}

/** @param lifetime milliseconds */
export function createBegunLogins(lifetime: number): BegunLogins {
  // A list: all live equally long, so the oldest is always at its head.
  let oldest: Begun | undefined
  let newest: Begun | undefined

  return {
    add(id) {
      const begun = { id, at: Date.now(), next: undefined }
      if (newest === undefined) oldest = begun
      else newest.next = begun
      newest = begun
    },
    takeExpired() {
      const ids: string[] = []
      // Abs: a clock that was set back must not keep them for as long as that.
      while (
        ids.length < 2 &&
        oldest !== undefined &&
        Math.abs(Date.now() - oldest.at) > lifetime
      ) {
        ids.push(oldest.id)
        oldest = oldest.next
      }
      if (oldest === undefined) newest = undefined
      return ids
    },
  }
}
