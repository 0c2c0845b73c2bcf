import { writeFileSync } from 'node:fs'
import mocha from 'mocha'

/** Mocha's spec reporter with a closing line that any CI can read. */
export default class SummaryReporter extends mocha.reporters.Spec {
  epilogue() {
    super.epilogue()
    const { passes, failures, pending } = this.stats
    console.log(`${passes} passed, ${failures} failed${pending > 0 ? `, ${pending} skipped` : ''}`)
    // test/jobs.js adds up several runs.
    const { SUITE_COUNTS } = process.env
    if (SUITE_COUNTS) writeFileSync(SUITE_COUNTS, JSON.stringify({ passes, failures, pending }))
  }
}
