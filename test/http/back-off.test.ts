import { expect } from 'chai'
import { PkceFlowError } from '../../src/index.ts'
import { createBackOff } from '../../src/http/back-off.ts'

describe('back-off of refreshes that fail', () => {
  const error = new PkceFlowError('server_unavailable', 'The authorization server is down.')

  for (const [code, heard] of [
    ['store_unavailable', 'store_unavailable'],
    ['lock_unavailable', 'lock_unavailable'],
    ['server_timeout', 'server_unavailable'],
    ['client_rejected', 'server_unavailable'],
  ] as const)
    it(`P10: after ${code} a request that cannot do without hears ${heard}, 503`, () => {
      const backOff = createBackOff()
      backOff.failed('key', new PkceFlowError(code, 'It failed.'))
      const failure = backOff.failureOf('key')
      expect(failure).to.include({ code: heard, status: 503, retryAfter: 1 })
      expect(failure!.message).to.match(/ moment: It failed\.$/)
    })

  it('P14: of more than 10,000 keys those that failed longest ago are forgotten', () => {
    const backOff = createBackOff()
    for (let at = 0; at < 10_000; at += 1) backOff.failed(`key ${at}`, error)
    backOff.failed('key 0', error) // the newest again
    expect(backOff.failureOf('key 1')).to.be.instanceOf(PkceFlowError)
    backOff.failed('one more', error)
    expect(backOff.failureOf('key 1')).to.equal(undefined)
    for (const key of ['key 0', 'key 2', 'one more'])
      expect(backOff.failureOf(key), key).to.be.instanceOf(PkceFlowError)
  })
})
