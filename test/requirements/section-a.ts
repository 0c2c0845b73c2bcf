import { conformance, type ConformanceModuleName } from '../../src/testing/index.ts'
import { arrived, failed, refused, type Expectation, type Row } from './row.ts'
import { answer, gives, later, start, type Step } from './step.ts'

/** Accepted: the suite waits for a userinfo request, which is an issue of its own; here, signed in. */
const accepted = arrived()
/** Refused after the token response: no userinfo request, nobody is signed in. */
const refusedTokens = failed(502, 'id_token_invalid')

const oneLogin: readonly Step[] = [start(), answer()]
const twoLogins: readonly Step[] = [
  start('first'),
  gives(answer('first'), 302),
  later(2_000),
  start(),
  answer(),
]

interface Module {
  name: ConformanceModuleName
  steps?: readonly Step[]
  expect: Expectation
  flow?: Record<string, unknown>
}

/** A1, `oidcc-client-basic-certification-test-plan`. */
const basicModules: readonly Module[] = [
  { name: 'oidcc-client-test', expect: accepted },
  { name: 'oidcc-client-test-invalid-iss', expect: refusedTokens },
  { name: 'oidcc-client-test-missing-sub', expect: refusedTokens },
  { name: 'oidcc-client-test-invalid-aud', expect: refusedTokens },
  { name: 'oidcc-client-test-missing-iat', expect: refusedTokens },
  { name: 'oidcc-client-test-kid-absent-single-jwks', expect: accepted },
  // Either would pass. Which of several keys is meant cannot be told, and none is tried out.
  { name: 'oidcc-client-test-kid-absent-multiple-jwks', expect: refusedTokens },
  { name: 'oidcc-client-test-idtoken-sig-rs256', expect: accepted },
  // Either would pass; decision 1: `none` is refused.
  { name: 'oidcc-client-test-idtoken-sig-none', expect: refusedTokens },
  { name: 'oidcc-client-test-invalid-sig-rs256', expect: refusedTokens },
  { name: 'oidcc-client-test-nonce-invalid', expect: refusedTokens },
  {
    name: 'oidcc-client-test-scope-userinfo-claims',
    flow: { scope: 'openid profile email' },
    expect: { ...accepted, authorizationRequest: { scope: 'openid profile email' } },
  },
  {
    name: 'oidcc-client-test-client-secret-basic',
    expect: { ...accepted, tokenRequest: { client_secret: null } },
  },
]

/** A2, `oidcc-client-config-certification-test-plan`. */
const configModules: readonly Module[] = [
  {
    name: 'oidcc-client-test-discovery-openid-config',
    expect: { ...accepted, requests: { discovery: 1 } },
  },
  {
    name: 'oidcc-client-test-discovery-jwks-uri-keys',
    expect: { ...accepted, requests: { discovery: 1, jwks: 1 } },
  },
  {
    name: 'oidcc-client-test-discovery-issuer-mismatch',
    steps: [start()],
    expect: { ...refused(502, 'invalid_server_response'), requests: { authorization: 0 } },
  },
  // The same module as in A1.
  { name: 'oidcc-client-test-idtoken-sig-none', expect: refusedTokens },
  {
    name: 'oidcc-client-test-signing-key-rotation-just-before-signing',
    expect: { ...accepted, requests: { jwks: 1 } },
  },
  {
    name: 'oidcc-client-test-signing-key-rotation',
    steps: twoLogins,
    expect: { ...accepted, tokenRequests: 2, requests: { jwks: 2 } },
  },
]

function toRow(section: string, { name, steps = oneLogin, expect, flow }: Module): Row {
  const { options, misbehaviours, outcome } = conformance[name]
  return {
    id: `${section} ${name}`,
    title: outcome,
    server: options,
    misbehaviours,
    app: { flow: flow ?? {} },
    // Somebody who signed in before would have had the misbehaviour.
    before: ['nobody'],
    steps,
    expect,
  }
}

/** The Form Post plan: the same modules, the answer comes as a form. */
function posted(row: Row): Row {
  const isGood = row.expect.status === 302
  return {
    ...row,
    title: `${row.title}, by form_post`,
    app: { tlsProxy: true, flow: { ...row.app?.flow, responseMode: 'form_post' } },
    expect: { ...row.expect, ...(isGood && { status: 303 }) },
  }
}

const basic = basicModules.map((module) => toRow('A1', module))

/** Sections A1 and A2: the certification plans for relying parties. */
export const sectionA: readonly Row[] = [
  ...basic,
  ...basic.map(posted),
  ...configModules.map((module) => toRow('A2', module)),
]
