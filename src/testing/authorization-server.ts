import { createTestClock, type TestClock } from './clock.ts'
import type { Context } from './context.ts'
import { isEndpoint, type TestServerEndpoint } from './endpoints.ts'
import type { Fault, FaultyEndpoint, Misbehaviour, MisbehaviourOptions } from './faults.ts'
import { createGrants, type IssuedTokens } from './grants.ts'
import { createListener } from './listener.ts'
import {
  postLogoutToken,
  type LogoutTokenRequest,
  type LogoutTokenResponse,
  type LogoutUris,
} from './logout-delivery.ts'
import { createLogoutToken } from './logout-token.ts'
import { createMisbehaviours } from './misbehaviours.ts'
import { isMisbehaviourName, misbehavioursNamed, type MisbehaviourName } from './named/index.ts'
import {
  resolveOptions,
  type TestAuthorizationServerOptions,
  type TestClient,
  type TestUser,
} from './options.ts'
import { createPushedRequests } from './pushed-requests.ts'
import type { RecordedRequest } from './recorded-request.ts'
import { createRequestHandler } from './request-handler.ts'
import { createRequestLog } from './request-log.ts'
import { buildServerMetadata, type TestServerMetadata } from './server-metadata.ts'
import { createServerSessions } from './server-sessions.ts'
import { signJwt, type JwtToSign } from './signed-jwt.ts'
import { createSigningKeys } from './signing-keys.ts'

/** A running test authorization server. */
export interface TestAuthorizationServer {
  /** Scheme, 127.0.0.1 and port. */
  readonly origin: string
  /** Origin and `issuerPath`. */
  readonly issuer: string
  /** As published. */
  readonly metadata: TestServerMetadata
  readonly clients: readonly TestClient[]
  readonly users: readonly TestUser[]
  /** Its idea of the time: what it issues expires by it. */
  readonly clock: TestClock
  /** Every request that was read to its end, oldest first. */
  readonly requests: readonly RecordedRequest[]
  /** What the token endpoint handed out, oldest first. */
  readonly issued: readonly IssuedTokens[]
  /**
   * Every code, token, state, nonce, code verifier and client secret that it has seen or made: what must
   * not turn up in a log, a page or an error.
   */
  readonly secrets: ReadonlySet<string>
  /** How many requests an endpoint got. */
  count(endpoint: TestServerEndpoint): number
  /** The `count`th request of an endpoint: waits until it has come. Default: the first. */
  received(endpoint: TestServerEndpoint, count?: number): Promise<RecordedRequest>
  /** Signs in this user; `undefined`: nobody, so that authorization requests end with `login_required`. */
  authorizeAs(sub: string | undefined): void
  /** Scripts a fault; returns a function that stops it. */
  misbehave<Of extends FaultyEndpoint>(
    endpoint: Of,
    fault: Fault<Of>,
    options?: MisbehaviourOptions,
  ): () => void
  /**
   * Scripts a misbehaviour by its name in `misbehaviours`, e.g. `'id-token-wrong-iss'`; returns a function
   * that stops it. `{ times: 1 }`: for the next request only.
   */
  misbehave(name: MisbehaviourName, options?: MisbehaviourOptions): () => void
  /** Scripts misbehaviours written as data, e.g. `conformance['oidcc-client-test-invalid-iss']`. */
  misbehave(misbehaviours: readonly Misbehaviour[]): () => void
  /** Stops every misbehaviour. */
  behave(): void
  /** Signs with new keys from now on, under the same key ids if `keepKid`. */
  rotateKeys(options?: { keepKid?: boolean }): void
  /** A JWT signed by the current key, e.g. a logout token. */
  sign(jwt: JwtToSign): Promise<string>
  /**
   * From now on logouts at the end session endpoint are told to these URIs of the client: a logout
   * token is posted, a page with an iframe is shown.
   */
  tellLogoutsTo(uris: LogoutUris): void
  /** Sends a logout token; resolves to what the client answered. */
  sendLogoutToken(request: LogoutTokenRequest): Promise<LogoutTokenResponse>
  /** What clients answered to logout tokens, oldest first. */
  readonly logoutResponses: readonly LogoutTokenResponse[]
  /** Behaves, forgets recorded requests and `issued`, signs in the first user, sets the clock right; tokens stay valid. */
  reset(): void
  /** Stops listening: connections are refused, open ones destroyed. */
  stop(): Promise<void>
  /** Listens again, on the same port and with the same state. */
  start(): Promise<void>
  /** Stops and starts; `forget` loses codes and tokens. */
  restart(options?: { forget?: boolean }): Promise<void>
  /** Stops for good. */
  close(): Promise<void>
}

/**
 * Starts an authorization server for tests: real HTTP on a free port of 127.0.0.1, in this process, that
 * can be told to misbehave. It signs people in without pages and must never be reachable by others. A
 * process that has nothing else to do ends, even if it is still open.
 */
export async function createTestAuthorizationServer(
  options: TestAuthorizationServerOptions = {},
): Promise<TestAuthorizationServer> {
  const settings = resolveOptions(options)
  const keys = createSigningKeys(settings.signingAlgorithm)
  const clock = createTestClock()
  const grants = createGrants(settings, clock)
  const misbehaviours = createMisbehaviours()
  const log = createRequestLog(settings.record)
  const secrets = new Set(settings.clients.flatMap(({ clientSecret }) => clientSecret ?? []))
  let user: TestUser | undefined = settings.users[0]

  const listener = createListener((request, response) => {
    handleRequest(request, response)
  }, settings.tls)
  // The key now: making an RSA key can take seconds on a busy machine, and a login has a time limit.
  await Promise.all([keys.current(settings.signingAlgorithm), listener.start()])
  const issuer = `${listener.origin}${settings.issuerPath}`

  let logoutUris: LogoutUris = {}
  const logoutResponses: LogoutTokenResponse[] = []

  async function sendLogoutToken(request: LogoutTokenRequest): Promise<LogoutTokenResponse> {
    const { to = logoutUris.backchannel } = request
    if (to === undefined) throw new TypeError('No client wants to be told of logouts')
    const response = await postLogoutToken(to, await createLogoutToken(request, context))
    logoutResponses.push(response)
    return response
  }

  const context: Context = {
    issuer,
    settings,
    grants,
    keys,
    sessions: createServerSessions(clock),
    pushedRequests: createPushedRequests(clock),
    clock,
    assertionIds: new Set(),
    user: (sub) => (sub === undefined ? user : settings.users.find((each) => each.sub === sub)),
    sign: (jwt) => signJwt(jwt, keys, settings.signingAlgorithm),
    get logoutUris() {
      return logoutUris
    },
    sendLogoutToken,
    keepSecret: (value) => {
      if (value && settings.record) secrets.add(value)
    },
  }

  const handleRequest = createRequestHandler(context, misbehaviours, log)

  function misbehave(
    first: FaultyEndpoint | MisbehaviourName | readonly Misbehaviour[],
    second?: Fault | MisbehaviourOptions,
    when: MisbehaviourOptions = {},
  ): () => void {
    if (typeof first === 'string' && !isMisbehaviourName(first) && !(isEndpoint(first) && second))
      throw new TypeError(`There is no misbehaviour "${first}"`)
    const added =
      typeof first !== 'string'
        ? first
        : isMisbehaviourName(first)
          ? misbehavioursNamed(first, second as MisbehaviourOptions | undefined)
          : [{ ...when, endpoint: first, fault: second } as Misbehaviour]
    const stops = added.map((misbehaviour) => misbehaviours.add(misbehaviour))
    return () => stops.forEach((stop) => stop())
  }

  return {
    origin: listener.origin,
    issuer,
    metadata: buildServerMetadata(issuer, settings),
    clients: settings.clients,
    users: settings.users,
    clock,
    requests: log.requests,
    issued: grants.issued,
    secrets,
    count: (endpoint) => log.count(endpoint),
    received: (endpoint, count) => log.received(endpoint, count),
    authorizeAs(sub) {
      user = settings.users.find((each) => each.sub === sub)
      if (sub !== undefined && !user) throw new TypeError(`There is no user "${sub}"`)
    },
    misbehave,
    behave: () => misbehaviours.clear(),
    rotateKeys: ({ keepKid = false } = {}) => keys.rotate(keepKid),
    sign: (jwt) => context.sign(jwt),
    tellLogoutsTo(uris) {
      logoutUris = { ...uris }
    },
    sendLogoutToken: ({ faults = [], ...request }) =>
      sendLogoutToken({ ...request, faults: [...misbehaviours.takeForLogoutToken(), ...faults] }),
    logoutResponses,
    reset() {
      misbehaviours.clear()
      logoutResponses.length = 0
      clock.reset()
      log.clear()
      grants.clearIssued()
      user = settings.users[0]
    },
    start: () => listener.start(),
    stop: () => listener.stop(),
    async restart({ forget = false } = {}) {
      await listener.stop()
      if (forget) grants.forget()
      await listener.start()
    },
    close: () => listener.stop(),
  }
}
