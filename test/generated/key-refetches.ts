import { clock } from '../support/clock.ts'
import type { GoodServer } from './good-server.ts'

/**
 * For a key that is unknown the keys are fetched again, once a second: moves the clock on after each
 * time, so that nobody waits. Returns a function that ends it.
 */
export function hurryKeyRefetches({ answers }: GoodServer): () => void {
  const { jwks } = answers
  let hurries = 0
  answers.jwks = (asked) => {
    hurries = 5
    return jwks!(asked)
  }
  const hurrying = setInterval(() => {
    if (hurries > 0) clock.advance(1_100)
    hurries -= 1
  }, 1)
  return () => {
    clearInterval(hurrying)
  }
}
