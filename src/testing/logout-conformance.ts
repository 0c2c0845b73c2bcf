import type { IdTokenFault, Misbehaviour } from './faults.ts'
import { wrongLogoutTokens } from './logout-token.ts'

/** A module of the OpenID conformance suite about logging out, as this server plays it. */
export interface LogoutConformanceModule {
  /** For `misbehave`. */
  readonly misbehaviours: readonly Misbehaviour[]
  /** What a logout token must be answered; `undefined` if none is sent. */
  readonly status?: 200 | 400
}

const returning = (logoutResponse: (parameters: URLSearchParams) => void) =>
  ({
    misbehaviours: [{ endpoint: 'end_session', fault: { logoutResponse } }],
  }) satisfies LogoutConformanceModule

const refused = (logoutToken: IdTokenFault) =>
  ({
    misbehaviours: [{ endpoint: 'end_session', fault: { logoutToken } }],
    status: 400,
  }) satisfies LogoutConformanceModule

const modules = {
  'oidcc-client-test-rp-init-logout': { misbehaviours: [] },
  'oidcc-client-test-rp-init-logout-other-state': returning((parameters) => {
    parameters.set('state', 'another-state')
  }),
  'oidcc-client-test-rp-init-logout-no-state': returning((parameters) => {
    parameters.delete('state')
  }),
  'oidcc-client-test-rp-backchannel-rpinitlogout': { misbehaviours: [], status: 200 },
  'oidcc-client-test-rp-backchannel-rpinitlogout-alg-none': refused(wrongLogoutTokens['alg-none']),
  'oidcc-client-test-rp-backchannel-rpinitlogout-wrong-alg': refused(
    wrongLogoutTokens['wrong-alg'],
  ),
  'oidcc-client-test-rp-backchannel-rpinitlogout-no-event': refused(wrongLogoutTokens['no-event']),
  'oidcc-client-test-rp-backchannel-rpinitlogout-wrong-event': refused(
    wrongLogoutTokens['wrong-event'],
  ),
  'oidcc-client-test-rp-backchannel-rpinitlogout-with-nonce': refused(
    wrongLogoutTokens['with-nonce'],
  ),
  'oidcc-client-test-rp-backchannel-rpinitlogout-wrong-aud': refused(
    wrongLogoutTokens['wrong-aud'],
  ),
  'oidcc-client-test-rp-backchannel-rpinitlogout-wrong-iss': refused(
    wrongLogoutTokens['wrong-iss'],
  ),
  'oidcc-client-test-rp-frontchannel-rpinitlogout': { misbehaviours: [] },
  'oidcc-client-test-rp-frontchannel-opinitlogout': { misbehaviours: [] },
} satisfies Record<string, LogoutConformanceModule>

/** Name of a module in `logoutConformance`. */
export type LogoutConformanceModuleName = keyof typeof modules

/**
 * The modules of the RP-initiated, back-channel and front-channel logout plans for relying parties, by
 * their names: `tellLogoutsTo` has to be called, and the person has to log out.
 * @see https://openid.net/certification/connect_rp_testing/
 */
export const logoutConformance: Readonly<
  Record<LogoutConformanceModuleName, LogoutConformanceModule>
> = modules
