import { a1, a2, a3, fatally, without, type Edit } from './edit.ts'

const idToken = 'protocol/id-token.ts'
const signedJwt = 'protocol/signed-jwt.ts'
const registeredClaims = 'protocol/registered-claims.ts'
const refreshed = 'protocol/refreshed-id-token.ts'
const endpoint = 'protocol/token-endpoint.ts'
const dialect = 'protocol/token-dialect.ts'
const grant = 'protocol/token-grant.ts'
const exchange = 'protocol/token-request.ts'
const refresh = 'protocol/token-refresh.ts'
const refresher = 'http/refresher.ts'
const userInfo = 'protocol/user-info.ts'

/** ID Tokens, token responses, refreshes, userinfo. */
export const tokenEdits: readonly Edit[] = [
  without(
    'signatures of ID Tokens',
    [
      ...a1('-invalid-sig-rs256', '-idtoken-sig-none', '-kid-absent-multiple-jwks'),
      ...a2('discovery-jwks-uri-keys', 'idtoken-sig-none'),
      ...['C-12', 'C-13', 'C-17', 'C-30', 'D-48', 'D-51', 'D-52'],
    ],
    [
      signedJwt,
      "if (scheme === undefined) throw new JWSInvalid('Signed by an algorithm that is not accepted')",
      'if (findKey !== undefined) return claims',
    ],
    ['protocol/compact-jwt.ts', String.raw`\.[\w-]+$/`, String.raw`\.[\w-]*$/`],
  ),
  without(
    'the nonce',
    [...a1('-nonce-invalid'), 'C-07', 'D-48'],
    [idToken, "if (nonce !== expected.nonce) throw invalidClaim('nonce')", 'void nonce'],
  ),
  without('max_age', ['C-14'], [idToken, 'if (expected.maxAge !== undefined) {', 'if (false) {']),
  without(
    'the time of auth_time',
    ['C-14'],
    [
      idToken,
      'if (authTime + expected.maxAge < Date.now() / 1000 - tolerance) throw',
      'if (tolerance < 0) throw',
    ],
  ),
  without(
    'azp of several audiences',
    ['C-10', 'D-48'],
    [
      idToken,
      "if (Array.isArray(aud) && aud.length > 1 && azp === undefined) throw invalidClaim('azp')",
      'void aud',
    ],
  ),
  without(
    'another azp',
    ['C-10', 'D-48'],
    [idToken, "if (azp !== undefined && azp !== reader.clientId) throw invalidClaim('azp')", ''],
  ),
  without(
    'an iat ahead of us',
    ['C-11', 'C-17', 'D-49'],
    [idToken, "if (iat > Date.now() / 1000 + issuedAhead) throw invalidClaim('iat')", ''],
  ),
  without(
    'an old iat being of no account',
    ['C-11', 'D-49'],
    [
      idToken,
      "if (iat > Date.now() / 1000 + issuedAhead) throw invalidClaim('iat')",
      "if (Math.abs(iat - Date.now() / 1000) > issuedAhead) throw invalidClaim('iat')",
    ],
  ),
  without(
    'an empty sub',
    ['D-48'],
    [idToken, "if (typeof sub !== 'string' || sub === '') throw invalidClaim('sub')", ''],
  ),
  without(
    'claims that must be there',
    [...a1('-missing-sub', '-missing-iat'), 'C-10', 'D-48'],
    [idToken, "for (const name of ['sub', 'exp', 'iat'])", 'for (const name of [] as string[])'],
    [idToken, "if (typeof sub !== 'string' || sub === '') throw invalidClaim('sub')", ''],
  ),
  without(
    'the issuer of ID Tokens',
    [...a1('-invalid-iss'), ...a3('-invalid-issuer'), 'C-10', 'C-17', 'D-48'],
    [registeredClaims, "if (iss !== issuer) return 'iss'", 'void [iss, issuer]'],
    [refreshed, "for (const claim of ['iss', 'sub'])", "for (const claim of ['sub'])"],
  ),
  without(
    'the audience of ID Tokens',
    [...a1('-invalid-aud'), 'C-10', 'C-17', 'D-48'],
    [registeredClaims, '![aud].flat().includes(audience)', 'audience === undefined'],
  ),
  without(
    'exp and nbf of ID Tokens',
    ['C-10', 'C-17', 'D-50'],
    [
      registeredClaims,
      'const tolerance = clockTolerance / 1000',
      'const tolerance = clockTolerance + 1e11',
    ],
  ),
  without(
    'tolerance of other clocks',
    ['D-50'],
    [
      registeredClaims,
      'const tolerance = clockTolerance / 1000',
      'const tolerance = clockTolerance * 0',
    ],
  ),
  without(
    'the algorithms that a server announces',
    ['C-13'],
    [idToken, 'return Array.isArray(named)', 'return named === 0'],
  ),
  without(
    'shared secrets being no keys',
    ['C-13'],
    [
      'options/server-metadata.ts',
      "if (algorithms?.some((algorithm) => algorithm === 'none' || algorithm.startsWith('HS')))",
      'if (algorithms?.length === 0)',
    ],
  ),
  without(
    'RS256',
    [...a1('-idtoken-sig-rs256'), 'C-12'],
    [signedJwt, "  RS256: { hash: 'sha256', options: rsa },\n", ''],
  ),
  without('keys without a name', a1('-kid-absent-single-jwks'), [
    signedJwt,
    '// Section 4.1.11:',
    "if (header.kid === undefined) throw new Error('no kid')\n  //",
  ]),
  without(
    'fetching rotated keys',
    [
      ...a2('signing-key-rotation-just-before-signing', 'signing-key-rotation'),
      ...['C-31', 'D-51'],
    ],
    [idToken, 'if (keys.generation() === generation) await keys.refetch()', 'void generation'],
  ),
  without(
    'fetching them once',
    ['D-51'],
    [
      idToken,
      'if (keys.generation() === generation) await keys.refetch()',
      'void generation\n    await keys.refetch()\n    await keys.refetch()',
    ],
  ),
  without(
    'keys over TLS',
    ['C-12'],
    [
      'options/scope.ts',
      "if (scope.includes('openid') && issuer === undefined && (!server.jwks_uri || !server.issuer))",
      'if (server === undefined)',
    ],
  ),
  without(
    'keys that cannot be had being no fault of the token',
    ['D-52'],
    ['protocol/signing-keys.ts', 'if (isPassing(response)) throw unavailable(response)', ''],
  ),
  without(
    'forgetting that keys could not be had',
    ['D-52'],
    [
      'protocol/signing-keys.ts',
      '    find: keys,',
      '    find: (header, token) => { if (failure) throw failure.error; return keys(header, token) },',
    ],
  ),

  fatally('client_secret_basic', a1('-client-secret-basic'), [
    'protocol/client-authentication.ts',
    'return clientSecretBasic(clientId, clientSecret)',
    'return None()',
  ]),
  without(
    'the issuer as the audience of private_key_jwt',
    ['C-36'],
    [
      'protocol/known-server.ts',
      'issuer: metadata.issuer ?? new URL(token_endpoint).origin,',
      'issuer: token_endpoint,',
    ],
  ),
  without(
    'types of tokens',
    ['C-20', 'D-44', 'D-59'],
    [grant, "if (tokens.tokenType !== 'bearer')", 'if (false)'],
  ),
  without(
    'the case of token types, and their absence',
    ['D-44'],
    [
      dialect,
      "const type = typeof token_type === 'string' ? token_type.toLowerCase() : 'bearer'",
      "const type = token_type === 'Bearer' ? 'bearer' : String(token_type)",
    ],
  ),
  without(
    'the longest life',
    ['C-21', 'D-46'],
    [endpoint, 'Math.min(seconds, longestLife)', 'seconds'],
  ),
  without(
    'what is a number of seconds',
    ['C-21', 'D-45'],
    [
      endpoint,
      "typeof value === 'string' && /^\\d+(\\.\\d+)?$/.test(value) ? Number(value) : value",
      "typeof value === 'string' ? parseInt(value) : value",
    ],
  ),
  without(
    'a number of seconds not being negative',
    ['D-45'],
    [endpoint, "typeof seconds === 'number' && seconds >= 0 ?", "typeof seconds === 'number' ?"],
  ),
  without(
    'seconds as text',
    ['D-46'],
    [
      endpoint,
      "typeof value === 'string' && /^\\d+(\\.\\d+)?$/.test(value) ? Number(value) : value",
      'value',
    ],
  ),
  without(
    'the demand for an access token',
    ['D-40', 'D-47'],
    [endpoint, "if (typeof access_token !== 'string' || !isSendable(access_token))", 'if (false)'],
  ),
  without('the demand for JSON', ['D-40'], [endpoint, 'if (json === undefined)', 'if (false)']),
  without(
    'good JSON of another content type',
    ['D-41'],
    [
      dialect,
      'const json = jsonObject(response)',
      "const json = response.headers['content-type'] === 'application/json' ? jsonObject(response) : undefined",
    ],
  ),
  without(
    'an error in an answer 200',
    ['D-42'],
    [
      endpoint,
      'if (response.status !== 200 || error !== undefined) throw',
      'if (response.status !== 200) throw',
    ],
  ),
  without(
    'what is no error',
    ['D-42'],
    [
      dialect,
      "return typeof json.error === 'string' ? json.error : undefined",
      "return 'error' in json ? String(json.error) : undefined",
    ],
  ),
  without(
    'a refresh token being text',
    ['D-47'],
    [
      endpoint,
      "...(typeof refresh_token === 'string' && refresh_token !== '' && { refresh_token }),",
      '...(refresh_token !== undefined && { refresh_token: refresh_token as string }),',
    ],
  ),
  without(
    'the demand for an ID Token',
    ['D-47'],
    [
      exchange,
      '  if (idToken === undefined)\n    throw new PkceFlowError(',
      '  if (idToken === undefined) return { idToken, claims: undefined }\n  if (false)\n    throw new PkceFlowError(',
    ],
  ),
  without(
    'the code being refused',
    ['C-03', 'D-32', 'D-42'],
    [exchange, 'if (status === 400 || error !== undefined)', 'if (false)'],
  ),
  without(
    'the client being refused',
    ['D-33'],
    [
      exchange,
      'if (unnamed || isAboutClient(refusal)) return clientRejected(refusal)',
      'void unnamed',
    ],
  ),
  without(
    'sending a code once',
    ['D-34', 'D-39', 'D-43'],
    [
      exchange,
      'attempt: Attempt = (send) => send(),',
      'attempt: Attempt = (send) => send().catch(() => send()),',
    ],
  ),
  without(
    'the scope that was granted',
    ['C-45'],
    [
      dialect,
      "if (typeof scope !== 'string') return undefined",
      'if (scope !== 0) return undefined',
    ],
  ),
  without(
    'revoking tokens that fail',
    ['C-17', 'D-48', 'D-59'],
    [grant, 'void revoke(server, tokens)', 'void revoke'],
  ),

  without(
    'the person of a refreshed ID Token',
    [...a3('-invalid-sub'), 'C-17', 'D-59'],
    [refreshed, "for (const claim of ['iss', 'sub'])", "for (const claim of ['iss'])"],
  ),
  without(
    'the nonce of a refreshed ID Token',
    ['C-17', 'D-59'],
    [
      refreshed,
      "for (const claim of ['nonce', 'auth_time'])",
      "for (const claim of ['auth_time'])",
    ],
  ),
  without(
    'auth_time of a refreshed ID Token',
    ['C-17'],
    [refreshed, "for (const claim of ['nonce', 'auth_time'])", "for (const claim of ['nonce'])"],
  ),
  without(
    'a refresh without an ID Token',
    ['C-16', 'C-17', 'D-58'],
    [
      refreshed,
      'if (!issued || issued === idToken) return before',
      'if (issued === idToken) return before',
    ],
  ),
  without(
    'new refresh tokens',
    [...a3(''), 'C-18'],
    [
      refresh,
      'refreshToken: refreshToken ?? before.refreshToken,',
      'refreshToken: before.refreshToken,',
    ],
  ),
  without(
    'keeping an old refresh token',
    ['C-18', 'D-58'],
    [
      refresh,
      'refreshToken: refreshToken ?? before.refreshToken,',
      "refreshToken: refreshToken ?? '',",
    ],
  ),
  without(
    'one refresh for all',
    ['C-18'],
    [refresher, 'if (underWay !== undefined) return underWay\n', 'void underWay\n'],
    [
      refresher,
      "typeof found === 'object' && canRefresh(found.tokens) && isStale(found.tokens)\n    if",
      "typeof found === 'object' && canRefresh(found.tokens)\n    if",
    ],
  ),
  without(
    'the end of a refresh token',
    ['C-19', 'D-56'],
    [
      'protocol/refresh-refusal.ts',
      "if (error === 'invalid_grant' || (error === '' && status === 400))",
      'if (false)',
    ],
  ),
  without(
    'the session outliving its tokens',
    ['C-17', 'C-19', 'D-56', 'D-59'],
    [refresher, 'return { ...before, tokens: undefined }', 'throw error'],
  ),
  without(
    'the difference between refusals of a refresh',
    ['D-43', 'D-57', 'C-43'],
    [
      refresher,
      "status === 'unreadable' ? backOff.failedUnreadably(key, error) : status === 'definitive'",
      'true',
    ],
  ),
  without(
    'the back-off of refreshes',
    ['D-57'],
    ['http/back-off.ts', 'const firstPause = 1_000', 'const firstPause = 0'],
  ),
  without(
    'Retry-After of a refresh',
    ['D-57'],
    ['http/back-off.ts', 'Math.max(pause, (error.retryAfter ?? 0) * 1000)', 'pause'],
  ),
  without(
    'using what is still valid',
    ['D-57'],
    [
      refresher,
      'if (!isDue(now) || isUsable(now.tokens)) return now',
      'if (!isDue(now)) return now',
    ],
  ),
  without(
    'tokens that have expired when they come',
    ['D-46'],
    [refresher, 'else backOff.failed(key, stillborn())', ''],
  ),
  without(
    'keeping in memory what cannot be stored',
    ['D-75'],
    ['http/refreshed-tokens.ts', 'goOn({ ...next, revision: before.revision })', 'throw error'],
  ),

  without(
    'the token in the userinfo request',
    [
      ...a1('', '-scope-userinfo-claims', '-client-secret-basic'),
      ...a2('discovery-openid-config', 'discovery-jwks-uri-keys'),
      ...[...a3(''), 'C-16', 'D-55'],
    ],
    [userInfo, 'authorization: `Bearer ${accessToken}`,', ''],
  ),
  without(
    'the person of userinfo',
    [...a1('-userinfo-invalid-sub'), 'C-16', 'D-55'],
    [userInfo, 'if (subject !== undefined && claims.sub !== subject)', 'if (false)'],
  ),
  without(
    'the status of userinfo',
    ['D-43', 'D-55'],
    [userInfo, 'if (status !== 200) throw', 'if (false) throw'],
  ),
  without(
    'trying once more',
    ['D-55'],
    [userInfo, "return 'invalid_token'\n", "throw unusable('refused the token')\n"],
  ),
  without(
    'the least use of a token',
    ['D-55'],
    [refresher, 'const shortestUse = 10_000', 'const shortestUse = -1'],
  ),
]
