import {
  conformance,
  type ConformanceModuleName,
  type Misbehaviour,
} from '../../src/testing/index.ts'
import { refused, type Expectation, type Row } from './row.ts'
import { answer, gives, later, server, start, type Step, visit } from './step.ts'

/** What the suite waits for before it accepts or refuses. */
const userInfo = visit('/user-info')

/** Accepted: signed in, and the userinfo request comes. */
const accepted: Expectation = {
  status: 200,
  body: { sub: 'alice' },
  signedIn: 'alice',
  tokenRequests: 1,
  revoked: 'none',
  requests: { userinfo: 1 },
}
/** Refused after the token response: nobody is signed in, and no userinfo request comes. */
const refusedTokens: Expectation = {
  status: 401,
  code: 'login_required',
  signedIn: 'nobody',
  tokenRequests: 1,
  revoked: 'all',
  requests: { userinfo: 0 },
}
/** Accepted, and the userinfo response is refused. */
const refusedUserInfo: Expectation = {
  status: 502,
  code: 'invalid_server_response',
  signedIn: 'alice',
  tokenRequests: 1,
  requests: { userinfo: 1 },
}

const twoLogins = (between: readonly Step[] = []): readonly Step[] => [
  start('first'),
  gives(answer('first'), 302),
  gives(userInfo, 200),
  later(2_000),
  ...between,
  start(),
  gives(answer(), 302),
  userInfo,
]

interface Module {
  name: ConformanceModuleName
  /** Default: one login, then userinfo. */
  steps?: readonly Step[]
  expect: Expectation
  flow?: Record<string, unknown>
  /** Default: as of the module. */
  misbehaviours?: readonly Misbehaviour[]
  /** Default: its outcome. */
  title?: string
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
  { name: 'oidcc-client-test-userinfo-invalid-sub', expect: refusedUserInfo },
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
    expect: { ...accepted, requests: { discovery: 1, userinfo: 1 } },
  },
  {
    name: 'oidcc-client-test-discovery-jwks-uri-keys',
    expect: { ...accepted, requests: { discovery: 1, jwks: 1, userinfo: 1 } },
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
    expect: { ...accepted, requests: { jwks: 1, userinfo: 1 } },
  },
  {
    name: 'oidcc-client-test-signing-key-rotation-just-before-signing',
    title: 'accepted, also when the keys were fetched just before',
    misbehaviours: [],
    steps: twoLogins([server('token', { rotateKeys: {} }, { times: 1 })]),
    expect: { ...accepted, tokenRequests: 2, requests: { jwks: 2, userinfo: 2 } },
  },
  {
    name: 'oidcc-client-test-signing-key-rotation',
    steps: twoLogins(),
    expect: { ...accepted, tokenRequests: 2, requests: { jwks: 2, userinfo: 2 } },
  },
]

/** The answer's status when it signs somebody in: after a POST the browser comes back by GET. */
type Landing = 302 | 303

function loginOf({ expect }: Module, landing: Landing): readonly Step[] {
  const arrives =
    expect === refusedTokens ? gives(answer(), 502, 'id_token_invalid') : gives(answer(), landing)
  return [start(), arrives, userInfo]
}

function toRow(section: string, module: Module, landing: Landing = 302): Row {
  const { name, expect, flow } = module
  const { options, misbehaviours, outcome } = conformance[name]
  return {
    id: `${section} ${name}`,
    title: module.title ?? outcome,
    server: options,
    misbehaviours: module.misbehaviours ?? misbehaviours,
    app: { flow: flow ?? {} },
    // Somebody who signed in before would have had the misbehaviour.
    before: ['nobody'],
    steps: module.steps ?? loginOf(module, landing),
    expect,
  }
}

/** The Form Post plan: the same modules, the answer comes as a form. */
function toPostedRow(module: Module): Row {
  const row = toRow('A1', module, 303)
  return {
    ...row,
    title: `${row.title}, by form_post`,
    app: { tlsProxy: true, flow: { ...module.flow, responseMode: 'form_post' } },
  }
}

/** Sections A1 and A2: the certification plans for relying parties. */
export const sectionA: readonly Row[] = [
  ...basicModules.map((module) => toRow('A1', module)),
  ...basicModules.map(toPostedRow),
  ...configModules.map((module) => toRow('A2', module)),
]
