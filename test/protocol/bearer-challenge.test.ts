import { inspect } from 'node:util'
import { expect } from 'chai'
import { saysInvalidToken } from '../../src/protocol/bearer-challenge.ts'

describe('challenges of an API (RFC 9110 section 11.6.1, RFC 6750 section 3)', () => {
  const yes = [
    'Bearer error="invalid_token"',
    'bearer error="invalid_token"',
    'BEARER ERROR="invalid_token"',
    'Bearer error=invalid_token',
    'Bearer error = "invalid_token"',
    'Bearer\terror\t=\t"invalid_token"',
    'Bearer   error="invalid_token"  ',
    'Bearer realm="example", error="invalid_token", error_description="The token expired"',
    'Bearer realm="example",error="invalid_token"',
    'Bearer realm="a, Basic realm=\\"b\\"", error="invalid_token"',
    'Bearer realm="back\\\\", error="invalid_token"',
    'Bearer realm="", error="invalid_token"',
    'Bearer realm="ü€", error="invalid_token"',
    'Bearer error="invalid\\_token"',
    'Bearer realm="example"; error="invalid_token"',
    'Basic realm="example", Bearer error="invalid_token"',
    'Negotiate, Bearer error="invalid_token"',
    'Negotiate YWJj==, Bearer error="invalid_token"',
    'NTLM TlRMTVNTUAAC+/._~-=, Bearer realm="x", error="invalid_token"',
    'Bearer error="invalid_token", Basic realm="example"',
    'Bearer realm="a", Bearer realm="b", error="invalid_token"',
    'DPoP error="invalid_token", algs="ES256"',
    'DPoP algs="ES256 PS256", Bearer error="invalid_token"',
    ', , Bearer , error="invalid_token" ,',
  ]
  for (const field of yes)
    it(`${field} says that the token is invalid`, () => {
      expect(saysInvalidToken(field)).to.equal(true)
    })

  const no = [
    null,
    '',
    ' ',
    ',',
    'Bearer',
    'Bearer realm="example"',
    'Bearer error="insufficient_scope", scope="read"',
    'Bearer error="invalid_request"',
    'Bearer error="invalid_token_type"',
    'Bearer error="INVALID_TOKEN"',
    'Bearer error=""',
    'Bearer error_description="invalid_token"',
    'Bearer realm="error=invalid_token"',
    'Bearer realm="error=\\"invalid_token\\""',
    'Bearer realm="Bearer error=\\"invalid_token\\""',
    'Basic error="invalid_token"',
    'Basic realm="Bearer", error="invalid_token"',
    'Basic realm="x, Bearer error=invalid_token"',
    'Bearer realm="a", Basic realm="b", error="invalid_token"',
    'Bearerish error="invalid_token"',
    'error="invalid_token"',
    '"Bearer error="invalid_token"',
    'Bearer realm="unterminated, error=invalid_token',
    'Bearer error="invalid_token',
    'Bearer error="invalid_token\\"',
    '<html>',
    'Bearer {"error":"invalid_token"}',
  ]
  for (const field of no)
    it(`${inspect(field)} does not`, () => {
      expect(saysInvalidToken(field)).to.equal(false)
    })

  const hostile: [what: string, field: string][] = [
    ['one long word', 'a'.repeat(1e6)],
    ['many words', 'a '.repeat(5e5)],
    ['long words', `${'a'.repeat(1e3)} `.repeat(1e3)],
    ['spaces', `a${' '.repeat(1e6)}b`],
    ['spaces between words', `a${' '.repeat(1e3)}`.repeat(1e3)],
    ['spaces before an equals sign that is not there', `Bearer x${' '.repeat(1e6)}`],
    ['commas', ','.repeat(1e6)],
    ['equals signs', `Bearer a${'='.repeat(1e6)}x`],
    ['a quoted string without an end', `Bearer a="${'x'.repeat(1e6)}`],
    ['quotes without an end', 'a="\\"'.repeat(2e5)],
    ['escapes without an end', `Bearer a="${'\\"'.repeat(5e5)}`],
    ['backslashes', `Bearer a="${'\\'.repeat(1e6)}`],
    ['many parameters', 'Bearer a="b",'.repeat(1e5)],
    ['many challenges', 'Bearer a, '.repeat(1e5)],
  ]
  /** Processor time that reading takes so many times, in microseconds: the least of five trials. */
  function cost(field: string, times: number): number {
    const trial = () => {
      const { user, system } = process.cpuUsage()
      for (let time = 0; time < times; time += 1) expect(saysInvalidToken(field)).to.equal(false)
      const after = process.cpuUsage()
      return after.user + after.system - user - system
    }
    return Math.min(...Array.from({ length: 5 }, trial))
  }

  // The same number of characters, in one piece and in eight: what takes quadratic time takes eight
  // times as long in one.
  for (const [what, field] of hostile)
    it(`${what}: time grows as a megabyte does`, () => {
      const inPieces = cost(field.slice(0, field.length / 8), 8)
      expect(cost(field, 1)).to.be.below(4 * Math.max(inPieces, 5_000))
    })
})
