import type { Before, OptionRow, Row } from './row.ts'
import { initiatedLogin } from './initiated-login.ts'
import { pushedRequests } from './pushed-requests.ts'
import { sectionA } from './section-a.ts'
import { sectionC01 } from './section-c-01.ts'
import { sectionC16 } from './section-c-16.ts'
import { sectionC20 } from './section-c-20.ts'
import { sectionC28 } from './section-c-28.ts'
import { sectionC32 } from './section-c-32.ts'
import { sectionCOptions } from './section-c-options.ts'
import { sectionD01 } from './section-d-01.ts'
import { sectionD11 } from './section-d-11.ts'
import { sectionD21 } from './section-d-21.ts'
import { sectionD32 } from './section-d-32.ts'
import { sectionD48 } from './section-d-48.ts'
import { sectionD55 } from './section-d-55.ts'
import { sectionD60 } from './section-d-60.ts'
import { sectionD69 } from './section-d-69.ts'
import { sectionD79 } from './section-d-79.ts'
import { sectionLogout } from './section-logout.ts'

/** Every case of every row that is a story: a set-up, steps, an expectation. */
export const rows: readonly Row[] = [
  sectionA,
  sectionC01,
  sectionC16,
  sectionC20,
  sectionC28,
  sectionC32,
  sectionD01,
  sectionD11,
  sectionD21,
  sectionD32,
  sectionD48,
  sectionD55,
  sectionD60,
  sectionD69,
  sectionD79,
  sectionLogout,
  initiatedLogin,
  pushedRequests,
].flat()

/** Of the test of a case. */
export const titleOf = (row: { id: string; title: string }, before?: Before): string =>
  `${row.id}: ${row.title}${before === 'bob' ? ' (somebody is signed in)' : ''}`

/** The cases that are about options only. */
export const optionRows: readonly OptionRow[] = sectionCOptions

/** Ids of the rows that have a test. */
export const testedRows: readonly string[] = [
  ...new Set([...rows, ...optionRows].map(({ id }) => id)),
]
