import { a2, without, type Edit } from './edit.ts'

const transport = 'protocol/transport.ts'
const server = 'protocol/authorization-server.ts'
const known = 'protocol/known-server.ts'

/** Metadata, and the way to the authorization server. */
export const serverEdits: readonly Edit[] = [
  without(
    'the issuer of metadata',
    [...a2('discovery-issuer-mismatch'), 'C-09'],
    [
      server,
      'return toWebResponse(json)',
      'return toWebResponse({ ...json, issuer: settings.issuer })',
    ],
  ),
  without(
    'discovering once',
    [...a2('discovery-openid-config', 'discovery-jwks-uri-keys'), 'D-53'],
    [server, 'if (known && Date.now() < knownUntil) return known', ''],
  ),
  without(
    'one discovery for all',
    ['D-53'],
    [server, 'discovering ??= discoverNow(issuer)', 'discovering = discoverNow(issuer)'],
  ),
  without(
    'the back-off of discoveries',
    ['D-53'],
    [
      server,
      'if (failure && wait > 0 && wait <= lastBackOff) {',
      'if (failure && wait > Infinity) {',
    ],
  ),
  without(
    'doubling it',
    ['D-53'],
    [server, 'Math.min(failure.backOff * 2, lastBackOff)', 'firstBackOff'],
  ),
  without(
    'the last good metadata',
    ['D-54'],
    [server, 'if (!known) return discovering\n', 'if (discovering) return discovering\n'],
  ),
  without(
    'fetching metadata again',
    ['D-54'],
    [server, 'const metadataLifetime = 3_600_000', 'const metadataLifetime = 3_600_000_000'],
  ),
  without(
    'what the app says and the server does not',
    ['C-09'],
    [
      server,
      'if (!isDeepStrictEqual(given[member], discovered[member]))',
      'if (!isDeepStrictEqual(member, member))',
    ],
  ),
  without('RFC 8414', ['C-09'], [server, 'if (!missing) throw error', 'throw error']),
  without(
    'the address of metadata being no issuer',
    ['C-09'],
    ['options/server-metadata.ts', "if (url.pathname.includes('/.well-known/'))", 'if (false)'],
  ),
  without(
    'the methods that a server announces',
    ['C-03'],
    [
      known,
      "if (methods != null && !(Array.isArray(methods) && methods.includes('S256')))",
      'if (methods === 0)',
    ],
  ),
  without(
    'the methods that an app names',
    ['C-03'],
    [
      'options/server-metadata.ts',
      "if (methods && !methods.includes('S256'))",
      'if (methods === null)',
    ],
  ),
  without(
    'TLS of endpoints',
    ['C-30'],
    [
      known,
      'if (url !== undefined && isSecureOrLoopback(url) && !url.href',
      'if (url !== undefined && !url.href',
    ],
  ),
  without(
    'TLS of keys',
    ['C-30'],
    [
      transport,
      'if (!isSecureOrLoopback(target))',
      'if (!isSecureOrLoopback(new URL("https://x.example")))',
    ],
  ),
  without(
    'TLS of options',
    ['C-30', 'C-46'],
    [
      'options/checks.ts',
      'if (!isSecureOrLoopback(url))',
      'if (!isSecureOrLoopback(new URL("https://x.example")))',
    ],
  ),
  without('loopback', ['C-46'], ['secure-url.ts', '127(\\.\\d{1,3}){3}', '127\\.0\\.0\\.1']),
  without(
    'a query in redirectUri',
    ['C-23'],
    [
      'options/places.ts',
      "if (/[?#]/.test(value as string)) throw invalid(name, 'must not have a query or a fragment')",
      '',
    ],
  ),
  without('time limits', ['D-36'], [transport, '    }, timeout)\n', '    }, timeout * 1_000)\n']),
  without(
    'time limits of revoking',
    ['C-41'],
    [transport, '    }, timeout)\n', '    }, timeout * 1_000)\n'],
    [
      'http/logout-handler.ts',
      'const limit = delay(flow.settings.timeout, ',
      'const limit = delay(flow.settings.timeout * 1_000, ',
    ],
  ),
  without(
    'what a time limit is',
    ['C-43', 'D-36', 'D-37', 'D-52', 'D-53', 'D-88'],
    [
      transport,
      "new PkceFlowError('server_timeout', 'The authorization server did not answer in time.'",
      "new PkceFlowError('server_unavailable', 'The authorization server did not answer in time.'",
    ],
  ),
  without(
    'time limits of bodies',
    ['C-43', 'D-37'],
    [
      transport,
      "request.on('response', (response) => {\n",
      "request.on('response', (response) => {\n      stopTimer()\n",
    ],
  ),
  without(
    'limits of sizes',
    ['C-43', 'D-39', 'D-52', 'D-53'],
    [transport, 'if (size > largestResponse)', 'if (size > 1e12)'],
  ),
  without(
    'what a broken connection is',
    ['D-35', 'D-52', 'D-53', 'D-88'],
    [transport, "request.on('error', failConnection)", "request.on('error', reject)"],
  ),
  without(
    'what a broken answer is',
    ['D-35', 'D-53'],
    [transport, "response.on('error', failConnection)", "response.on('error', reject)"],
  ),
  without(
    'following no redirects',
    ['D-43'],
    [transport, 'request.redirects ?? 0', 'request.redirects ?? 3'],
  ),
  without(
    'the origin of redirects',
    ['D-43'],
    [transport, 'if (location?.origin !== url.origin)', 'if (location === undefined)'],
  ),
  without(
    'the number of redirects of metadata',
    ['D-43'],
    [server, 'redirects: 3', 'redirects: 10'],
  ),
  without(
    'the number of redirects of keys',
    ['D-43'],
    ['protocol/signing-keys.ts', 'redirects: 3', 'redirects: 10'],
  ),
  without(
    'what passes',
    ['D-34', 'D-52', 'D-53', 'D-55', 'D-88'],
    ['protocol/json-response.ts', 'return status === 429 || status >= 500', 'return status > 599'],
  ),
  without(
    'Retry-After',
    ['D-34', 'D-88'],
    ['protocol/json-response.ts', 'retryAfter: retryAfter(response) ?? 1', 'retryAfter: 1'],
  ),
  without(
    'the limits of Retry-After',
    ['D-34'],
    ['protocol/json-response.ts', 'Math.min(Math.max(seconds, 1), 3600)', 'seconds'],
  ),
]
