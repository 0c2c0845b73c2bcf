import { expect } from 'chai'
import { everythingIn } from '../support/everything-in.ts'
import { printedBy } from '../support/output.ts'
import { usedHeap } from '../support/used-heap.ts'
import type { Answered } from './tab.ts'

/** Who is at fault. */
export type Party = 'browser' | 'person' | 'server' | 'store' | 'lock' | 'app'

/** The closed list of codes as it is documented, with whom each of them blames. */
const documented: Readonly<Record<string, readonly [status: number, party: Party]>> = {
  invalid_callback: [400, 'browser'],
  login_not_found: [400, 'browser'],
  login_interrupted: [400, 'browser'],
  code_rejected: [400, 'browser'],
  issuer_mismatch: [400, 'browser'],
  login_required: [401, 'person'],
  reauthorization_required: [401, 'person'],
  insufficient_user_authentication: [401, 'person'],
  not_signed_in: [401, 'person'],
  not_connected: [401, 'person'],
  access_denied: [403, 'person'],
  insufficient_scope: [403, 'person'],
  cross_site_request: [403, 'browser'],
  user_changed: [409, 'person'],
  authorization_failed: [502, 'server'],
  invalid_server_response: [502, 'server'],
  id_token_invalid: [502, 'server'],
  server_unavailable: [503, 'server'],
  server_timeout: [504, 'server'],
  store_unavailable: [503, 'store'],
  lock_unavailable: [503, 'lock'],
  client_rejected: [500, 'app'],
  session_missing: [500, 'app'],
  insecure_cookie: [500, 'app'],
  user_id_invalid: [500, 'app'],
  callback_misplaced: [500, 'app'],
  configuration: [500, 'app'],
  origin_not_allowed: [500, 'app'],
}

/** What an error says, if it is one of ours whose status belongs to its code; fails if not. */
export function documentedError(error: unknown): { code: string; status: number; party: Party } {
  const { name, code, status, message } = (error ?? {}) as Record<string, unknown>
  const known = Object.hasOwn(documented, String(code)) ? documented[String(code)] : undefined
  if (known === undefined || known[0] !== status || typeof message !== 'string')
    expect.fail(`no documented error: ${String(name)} ${String(code)} ${everythingIn(error)}`)
  expect(name).to.be.oneOf(['PkceFlowError', 'ConfigurationError', 'StateForgeryError'])
  return { code: String(code), status: known[0], party: known[1] }
}

/** Texts of errors that were looked at closely: most cases fail in the same few ways. */
const inspected = new Set<string>()

/** No secret in an error, at any depth: every own member is walked, new texts are printed in full. */
export function expectNoSecretIn(error: unknown, secrets: readonly string[]): void {
  const walked = textsIn(error)
  expectNone(walked, secrets, 'an error')
  if (inspected.has(walked)) return
  inspected.add(walked)
  if (inspected.size > 5_000) inspected.clear()
  expectNone(everythingIn(error), secrets, 'an error')
}

function textsIn(value: unknown, seen = new Set()): string {
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null) return String(value)
  if (seen.has(value)) return ''
  seen.add(value)
  return Reflect.ownKeys(value)
    .filter((key) => key !== 'stack')
    .map((key) => `${String(key)} ${textsIn((value as Record<PropertyKey, unknown>)[key], seen)}`)
    .join('\n')
}

/** What stands in generated documents, and must not come back as it is. */
export const markup = '<script>alert(1)</script>'

/** No secret in an answer of the app, and nothing of a document as markup or as another header. */
export function expectHarmless({ headers, body }: Answered, secrets: readonly string[]): void {
  const { 'set-cookie': cookies = [], location = '', ...others } = headers
  const foreign = cookies.filter((cookie) => !/^(connect\.sid|pkce\.)/.test(cookie))
  const shown = [body, location, ...foreign, JSON.stringify(others)].join('\n')
  expectNone(shown, secrets, 'an answer')
  expect(shown.includes(markup), shown).to.equal(false)
  expect(headers).not.to.have.property('x-injected')
  expect(foreign).to.deep.equal([])
}

function expectNone(text: string, secrets: readonly string[], where: string): void {
  for (const secret of secrets)
    if (secret.length > 7 && text.includes(secret))
      expect.fail(`${where} shows ${secret.slice(0, 12)}…: ${text.slice(0, 2_000)}`)
}

/** Codes of the warnings that a suite expects, each at most once. */
type ExpectedWarnings = readonly string[]

/**
 * For the suite that it is called in: no warning, no rejection that nobody handles, nothing printed,
 * and what was taken of memory is given back.
 */
export function processStaysCalm(expected: ExpectedWarnings = []): void {
  const noises: string[] = []
  const onWarning = (warning: Error & { code?: string }) => {
    if (!expected.includes(warning.code ?? '')) noises.push(everythingIn(warning))
  }
  const onFault = (fault: unknown) => noises.push(everythingIn(fault))
  let heap: number
  let finish: () => void
  let printed: Promise<string>

  before(() => {
    heap = usedHeap()
    process.on('warning', onWarning)
    process.on('unhandledRejection', onFault)
    process.on('uncaughtExceptionMonitor', onFault)
    printed = printedBy(() => new Promise<void>((resolve) => (finish = resolve)))
  })

  after(async () => {
    finish()
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', onWarning)
    process.off('unhandledRejection', onFault)
    process.off('uncaughtExceptionMonitor', onFault)
    const output = (await printed).split('\n').filter((line) => !isExpected(line, expected))
    expect([...noises, ...output.filter(Boolean)]).to.deep.equal([])
    expect((usedHeap() - heap) / 2 ** 20, 'MiB kept').to.be.lessThan(96)
  })
}

function isExpected(line: string, expected: ExpectedWarnings): boolean {
  return expected.some((code) => line.includes(code)) || /^[{}\s]*$/.test(line)
}
