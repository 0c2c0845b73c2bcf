import { a4, a5, a6, without, type Edit } from './edit.ts'

const logoutToken = 'protocol/logout-token.ts'
const registeredClaims = 'protocol/registered-claims.ts'
const handler = 'http/logout-handler.ts'
const frontchannel = 'http/frontchannel-logout.ts'
const backchannel = 'http/backchannel-logout.ts'
const request = 'protocol/logout-request.ts'

/** Logging out, here and there. */
export const logoutEdits: readonly Edit[] = [
  without(
    'the server’s logout',
    [...a4('', '-other-state', '-no-state'), ...a6('rpinitlogout'), 'C-37'],
    [
      handler,
      'const away = own && options.atServer !== false ? await urlAtServer(flow, own) : undefined',
      'const away = own && (undefined as string | undefined)',
    ],
  ),
  without(
    'id_token_hint',
    [...a4('', '-other-state', '-no-state'), ...a5(''), 'C-37'],
    [request, "url.searchParams.set('id_token_hint', idToken)", 'void idToken'],
  ),
  without(
    'the state of a logout',
    ['C-37'],
    [request, "url.searchParams.set('state', randomBytes(16).toString('base64url'))", ''],
  ),
  without(
    'the way back',
    ['C-37'],
    [request, "url.searchParams.set('post_logout_redirect_uri', postLogoutRedirectUri)", ''],
  ),
  without('atServer', ['C-37'], [handler, 'own && options.atServer !== false ?', 'own ?']),
  without(
    'a return with any state',
    [...a4('-other-state', '-no-state'), 'D-83'],
    [
      'http/post-logout.ts',
      'seeOther(res, settings.afterLogout)',
      'if (/state=[\\w-]{22}$/.test(_req.url)) seeOther(res, settings.afterLogout)\n    else res.status(400).end()',
    ],
  ),
  without(
    'a return that ends nothing',
    ['D-83'],
    [
      'http/post-logout.ts',
      'seeOther(res, settings.afterLogout)',
      '_req.session.destroy(() => undefined)\n    seeOther(res, settings.afterLogout)',
    ],
  ),
  without(
    'ending here before there',
    ['C-37', 'D-76', 'D-77'],
    [
      handler,
      '      for (const each of ended) void revokeEnded(each)\n      throw error',
      '      for (const each of ended) void revokeEnded(each)\n      void error',
    ],
  ),
  without(
    'the end of sign-ins',
    ['C-40', 'C-41', 'D-76'],
    [handler, 'const ended = await endSignIns(flow, req)', 'const ended: EndedSignIn[] = []'],
  ),
  without(
    'the end of the session',
    ['D-81'],
    [handler, 'const ended = await endSignIns(flow, req)', 'const ended: EndedSignIn[] = []'],
    [handler, 'await destroySession(req)', 'void destroySession'],
  ),
  without(
    'the end of the pages in the cache',
    ['C-40'],
    [handler, "res.setHeader('Clear-Site-Data', '\"cache\"')", ''],
  ),
  without(
    'revoking',
    ['C-41'],
    [
      'http/end-sign-ins.ts',
      'return await tryToRevoke(await flow.getServer(), record.tokens)',
      "return 'revoked'",
    ],
  ),
  without(
    'noticing that the server is down',
    ['C-41', 'D-82'],
    [
      handler,
      "(outcome as RevocationOutcome) === 'unreachable' ? undefined : own?.record",
      'own?.record',
    ],
  ),
  without(
    'a server without such a place',
    ['C-37', 'D-82'],
    [
      request,
      "if (typeof endpoint !== 'string' || !URL.canParse(endpoint)) return undefined\n  const url = new URL(endpoint)",
      "const url = new URL(String(endpoint ?? 'https://server.example/logout'))",
    ],
  ),
  without(
    'a logout that does not hang on the server',
    ['C-41', 'D-82'],
    [
      'http/end-sign-ins.ts',
      "  } catch {\n    return 'unreachable'\n  }",
      '  } finally {\n    void 0\n  }',
    ],
    [
      'protocol/revocation.ts',
      "return code === 'server_unavailable' || code === 'server_timeout' ? 'unreachable' : 'not revoked'",
      "if (code === 'server_unavailable' || code === 'server_timeout') throw failure\n  return 'not revoked'",
    ],
  ),

  without(
    'signatures of logout tokens',
    [...a5('-alg-none', '-wrong-alg'), 'C-38'],
    [
      'protocol/signed-jwt.ts',
      "if (scheme === undefined) throw new JWSInvalid('Signed by an algorithm that is not accepted')",
      'if (findKey !== undefined) return claims',
    ],
    ['protocol/compact-jwt.ts', String.raw`\.[\w-]+$/`, String.raw`\.[\w-]*$/`],
    [
      logoutToken,
      "if (typeof alg !== 'string' || !algorithms.includes(alg))",
      'if (alg === algorithms)',
    ],
  ),
  without(
    'the issuer of logout tokens',
    [...a5('-wrong-iss'), 'C-38'],
    [registeredClaims, "if (iss !== issuer) return 'iss'", 'void [iss, issuer]'],
  ),
  without(
    'the audience of logout tokens',
    [...a5('-wrong-aud'), 'C-38'],
    [registeredClaims, '![aud].flat().includes(audience)', 'audience === undefined'],
  ),
  without(
    'the event of logout tokens',
    [...a5('-no-event', '-wrong-event'), 'C-38'],
    [
      logoutToken,
      'if (!isObject(events) || !isObject(events[logoutEvent])) throw',
      'if (events === logoutEvent) throw',
    ],
  ),
  without(
    'ID Tokens being no logout tokens',
    [...a5('-with-nonce'), 'C-38'],
    [logoutToken, "if (Object.hasOwn(claims, 'nonce')) throw refusal('has a nonce')", ''],
  ),
  without(
    'jti',
    ['C-38'],
    [logoutToken, "if (!isText(jti)) throw refusal('has no jti')", 'void jti'],
  ),
  without(
    'typ',
    ['C-38'],
    [
      logoutToken,
      "if (typeof typ !== 'string' || !/^(application\\/)?(logout\\+jwt|jwt)$/i.test(typ))",
      'if (false)',
    ],
  ),
  without(
    'who logged out',
    ['C-38'],
    [
      logoutToken,
      "if (sub === undefined && sid === undefined) throw refusal('has neither sub nor sid')",
      '',
    ],
  ),
  without(
    'iat',
    ['C-38'],
    [
      logoutToken,
      "if (typeof iat !== 'number' || !Number.isFinite(iat)) throw refusal('has no iat')",
      '',
    ],
  ),
  without(
    'logout tokens of the future',
    ['C-38', 'D-84'],
    [logoutToken, "if (iat > now + tolerance) throw refusal('was issued in the future')", ''],
  ),
  without(
    'old logout tokens',
    ['C-38'],
    [
      logoutToken,
      'if (exp === undefined && iat < now - longestLife - tolerance) throw',
      'if (exp === longestLife) throw',
    ],
  ),
  without(
    'logout tokens without a cookie',
    [...a5(''), 'C-38'],
    [
      backchannel,
      'if (settings.store === undefined) requireSession(req)\n    const logout',
      'if (!isStoredSession(req)) return 400\n    requireSession(req)\n    const logout',
    ],
  ),
  without(
    'one logout token',
    ['D-84'],
    [backchannel, "if (token === '\\0' || tokens.length > 1)", "if (token === '\\0')"],
  ),
  without(
    'the largest logout token',
    ['D-84'],
    [backchannel, "if (form === 'too large' || token.length > longestToken) return 413", ''],
  ),
  without(
    'what a logout token ends',
    ['C-38', 'D-84', 'D-85'],
    [
      backchannel,
      'await flow.records(req).serverEndings?.endBySignedRequest(req, logout)',
      'void logout',
    ],
  ),
  without(
    'what a repeated logout token does not end',
    ['D-84'],
    [
      'http/server-endings.ts',
      'if (signed === undefined || issuedAt > signed.issuedAt) return false',
      'if (signed !== undefined) return true\n  if (signed === undefined || issuedAt > signed.issuedAt) return false',
    ],
  ),
  without(
    'storing what a logout token ends',
    ['D-84'],
    [
      'http/server-endings.ts',
      'await Promise.all(names.map((name) => marks.end(name, ending, lifetime)))',
      'await Promise.allSettled(names.map((name) => marks.end(name, ending, lifetime)))',
    ],
  ),
  without(
    'looking for what has ended',
    [...a6('opinitlogout'), 'C-38', 'C-39', 'D-85'],
    [
      'http/connection.ts',
      'if (place.hasEnded === undefined || !(await place.hasEnded(reading))) return reading',
      'if (place.hasEnded !== 0) return reading',
    ],
  ),
  without(
    'what a frame ends',
    [...a6('opinitlogout'), 'C-39'],
    [
      frontchannel,
      'await flow.records(req).serverEndings?.endServerSession(issuedBy, session)',
      'void [issuedBy, session]',
    ],
  ),
  without(
    'one issuer and one session',
    ['C-39'],
    [
      frontchannel,
      'const isSaid = iss.length === 1 && sid.length === 1 && !isPrefetch(req)',
      'const isSaid = !isPrefetch(req)',
    ],
  ),
  without(
    'which session of which issuer',
    ['C-39'],
    ['http/person.ts', "fingerprint([iss, 'sid', sid])", "fingerprint(['sid', sid])"],
  ),
  without(
    'who may have it in a frame',
    ['C-39'],
    [frontchannel, 'frame-ancestors ${new URL(issuer).origin}', 'frame-ancestors *'],
  ),
  without(
    'no-store of frames',
    ['C-39'],
    [frontchannel, 'keepPrivate(res)\n    res.setHeader', 'void keepPrivate\n    res.setHeader'],
  ),
]
