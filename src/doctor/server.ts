import { PkceFlowError } from '../errors.ts'
import type { Settings } from '../options/settings.ts'
import { isWithoutS256, type KnownServer } from '../protocol/known-server.ts'
import { measureServerClock } from '../protocol/server-clock.ts'
import type { Found } from './finding.ts'

/** For the way there and back, and for a busy process. Milliseconds. */
const margin = 5_000

/** An authorization server that is down, cannot be used, or has another time. */
export async function examineServer(
  { clockTolerance, scope }: Settings,
  getServer: () => Promise<KnownServer>,
): Promise<Found[]> {
  try {
    const server = await getServer()
    // Only what ID Tokens say is compared with our clock.
    const ahead = scope.includes('openid') ? await measureServerClock(server) : undefined
    const isApart = ahead !== undefined && Math.abs(ahead) > clockTolerance + margin
    return isApart ? [clockSkew(ahead, clockTolerance)] : []
  } catch (error) {
    if (!(error instanceof PkceFlowError)) throw error
    return [isWithoutS256(error) ? s256Missing : unusable(error)]
  }
}

function clockSkew(ahead: number, clockTolerance: number): Found {
  const seconds = Math.round(Math.abs(ahead) / 1000)
  return {
    code: 'clock_skew',
    atFault: 'clock',
    message: `The authorization server's clock is ${seconds} seconds ${ahead > 0 ? 'ahead of' : 'behind'} ours, more than clockTolerance (${clockTolerance} milliseconds): ID Tokens look expired, or not valid yet.`,
    remedy: 'Run NTP on this machine, and on the authorization server if it is yours.',
    guide: 'docs/troubleshooting.md#id_token_invalid',
  }
}

const s256Missing: Found = {
  code: 's256_missing',
  atFault: 'server',
  message:
    'The authorization server announces PKCE without S256 (code_challenge_methods_supported), the only method that is safe: no login is started there.',
  remedy:
    'Switch S256 on at the authorization server. There is no option that does without (RFC 7636 section 4.2).',
  guide: 'docs/errors.md#invalid_server_response',
}

function unusable({ code, message }: PkceFlowError): Found {
  return code === 'server_unavailable' || code === 'server_timeout'
    ? {
        code: 'server_unavailable',
        atFault: 'server',
        message,
        remedy:
          'See whether the authorization server can be reached from here: its address, DNS, firewalls, certificates; a proxy or certificate authority goes into the option agent.',
        guide: 'docs/errors.md#server_unavailable',
      }
    : {
        code: 'server_unusable',
        atFault: code === 'configuration' ? 'app' : 'server',
        message,
        remedy:
          'Compare the option issuer, letter by letter, with the issuer in its metadata (/.well-known/openid-configuration); what is missing there goes into the option server.',
        guide: 'docs/troubleshooting.md#invalid_server_response-at-the-first-login',
      }
}
