import { expect } from 'chai'
import { PkceFlowError } from '../../src/index.ts'

/** What a promise rejects with: an error of ours, or the test fails. */
export async function rejection(promise: Promise<unknown>): Promise<PkceFlowError> {
  const [outcome] = await Promise.allSettled([promise])
  if (outcome.status === 'fulfilled') throw new Error('It should have been rejected')
  expect(outcome.reason).to.be.instanceOf(PkceFlowError)
  return outcome.reason as PkceFlowError
}
