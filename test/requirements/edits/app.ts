import { fatally, without, type Edit } from './edit.ts'

const session = 'http/session.ts'
const signIn = 'http/sign-in.ts'
const landing = 'http/landing.ts'
const returnTo = 'return-to.ts'
const storeCall = 'storage/store-call.ts'
const starting = 'http/start-login.ts'
const apiFetch = 'http/api-fetch.ts'

/** Places, sessions, stores, guards, other sites. */
export const appEdits: readonly Edit[] = [
  without(
    'the check of the place that a login is to lead to',
    ['C-24', 'D-60', 'D-61', 'D-62', 'D-64', 'D-65', 'D-66', 'D-67'],
    [
      'http/login-handler.ts',
      'return flow.placeToReturn(asked) ?? flow.settings.afterLogin',
      'return asked ?? flow.settings.afterLogin',
    ],
    [
      'http/callback-handler.ts',
      'flow.placeToReturn(stored) ?? flow.settings.afterLogin',
      'stored',
    ],
  ),
  without(
    'the check of what is in the store',
    ['C-24'],
    [
      'http/callback-handler.ts',
      'flow.placeToReturn(stored) ?? flow.settings.afterLogin',
      'stored',
    ],
  ),
  without(
    'the check of what onLogin says',
    ['C-24'],
    [
      'http/new-tokens.ts',
      'return flow.placeToReturn(chosen) ?? afterLogin',
      "return String(chosen).replace('evil', 'worse')",
    ],
  ),
  without(
    'what onLogin says',
    ['C-24'],
    [
      'http/new-tokens.ts',
      'if (chosen === undefined) return returnTo',
      'if (chosen !== 0) return returnTo',
    ],
  ),
  without(
    'the check of afterLogin',
    ['C-24'],
    [
      'options/places.ts',
      'const landing = placeToReturn(places, path)',
      'const landing = String(path)',
    ],
  ),
  without(
    'characters of places',
    ['D-60', 'D-62'],
    [returnTo, 'if (/[\\x00-\\x20\\x7f\\\\]/.test(value)) return undefined', ''],
  ),
  without(
    'the beginning of places',
    ['D-61'],
    [
      returnTo,
      "if (!value.startsWith('/') && !/^https?:\\/\\//i.test(value)) return undefined",
      '',
    ],
  ),
  without(
    'decoding a place once only',
    ['D-63'],
    [
      returnTo,
      'const url = new URL(value, origin)',
      'const url = new URL(decodeURIComponent(value), origin)',
    ],
  ),
  without(
    'origins of places',
    ['D-60', 'D-61', 'D-64'],
    [returnTo, 'origins.has(url.origin) ? url.href : undefined', 'url.href'],
  ),
  without(
    'origins that the app named',
    ['D-64'],
    [returnTo, 'origins.has(url.origin) ? url.href : undefined', 'undefined'],
  ),
  without(
    'a user in a place',
    ['D-64'],
    [returnTo, "if (url.username !== '' || url.password !== '') return undefined", ''],
  ),
  without(
    'the check of a place after parsing',
    ['D-65'],
    [returnTo, "return path.startsWith('//') ? undefined : path", 'return path'],
  ),
  without(
    'our own routes being no places',
    ['D-66', 'D-82', 'D-86'],
    [returnTo, 'return own ? undefined : place', 'void own\n  return place'],
  ),
  without(
    'the longest place',
    ['D-67'],
    [returnTo, "value === '' || value.length > longestReturnTo) return", "value === '') return"],
  ),
  without(
    'the check of the place that a logout leads to',
    ['D-82'],
    [
      'http/logout-handler.ts',
      "flow.placeToReturn(options.returnTo ?? queryParameters(req).get('returnTo'))",
      "options.returnTo ?? queryParameters(req).get('returnTo')",
    ],
  ),
  fatally('no-store', ['C-25'], [landing, "res.setHeader('Cache-Control', 'no-store')", '']),
  fatally(
    'no-referrer',
    ['C-25'],
    [landing, "res.setHeader('Referrer-Policy', 'no-referrer')", ''],
  ),
  without(
    'escaping',
    ['C-25'],
    [
      landing,
      'return text.replace(/[&"\'<>]/g, (character) => `&#${character.charCodeAt(0)};`)',
      'return text',
    ],
  ),
  without(
    'the policy of pages',
    ['C-25'],
    [
      landing,
      "res.setHeader('Content-Security-Policy', \"default-src 'none'; frame-ancestors 'none'\")",
      '',
    ],
  ),
  fatally(
    'GET after a POST',
    ['C-44'],
    [
      landing,
      "req.method === 'GET' || req.method === 'HEAD' ? 302 : 303",
      "req.method === 'GET' || req.method === 'HEAD' ? 302 : (307 as 303)",
    ],
  ),
  without(
    'frames kept out',
    ['C-29'],
    [landing, "res.setHeader('Content-Security-Policy', \"frame-ancestors 'none'\")", 'return'],
  ),

  without('a new session', ['C-26', 'D-4', 'D-27', 'D-78'], [session, 'store.generate(req)\n', '']),
  without(
    'the end of the session before',
    ['D-73'],
    [session, 'if (replacedId !== undefined) await destroy(replacedId)', ''],
  ),
  without(
    'keeping the data of one person from another',
    ['C-26', 'C-29', 'D-27'],
    [
      signIn,
      'const keepsData = previous === undefined || (samePerson && !previous.hasEnded)',
      'const keepsData = true',
    ],
  ),
  without(
    'keeping session data',
    ['C-26', 'C-27', 'D-27'],
    [signIn, "keepsData ? settings.sessionAtLogin : 'new'", "'new'"],
  ),
  without(
    'sessionAtLogin',
    ['C-26'],
    [signIn, "keepsData ? settings.sessionAtLogin : 'new'", "keepsData ? 'migrate' : 'new'"],
  ),
  without(
    'the refresh token from before',
    ['C-26'],
    [
      signIn,
      'kept = samePerson ? await keepRefreshToken(tokenRecords, record, previous) : record',
      'kept = record',
    ],
  ),
  without(
    'whose that was',
    ['C-26'],
    [
      signIn,
      'kept = samePerson ? await keepRefreshToken(tokenRecords, record, previous) : record',
      'kept = previous ? await keepRefreshToken(tokenRecords, record, previous) : record',
    ],
  ),
  without(
    'undoing what failed',
    ['C-26', 'D-73', 'D-74'],
    [signIn, 'await Promise.allSettled(undo.map((step) => step()))', ''],
  ),
  without(
    'revoking what cannot be kept',
    ['C-26', 'D-69', 'D-73', 'D-74', 'D-77'],
    [signIn, 'void revoke(server, tokens)\n', ''],
  ),
  without(
    'a session that holds a reference only',
    ['C-33'],
    [
      session,
      'await callStore((done) => current.save(done))',
      'Object.assign(current, { more: key })\n      await callStore((done) => current.save(done))',
    ],
  ),
  without(
    'sealing',
    ['C-33'],
    ['storage/record-store.ts', 'if (isSealed !== (sealing !== undefined)) {', 'if (false) {'],
    [
      'storage/record-store.ts',
      'if (sealing === undefined) return content',
      'if (!isSealed || sealing === undefined) return content',
    ],
    [
      'storage/record-store.ts',
      'sealing?.seal(content, { kind, flow, key, expiresAt }) ?? content',
      'content',
    ],
  ),
  without(
    'users of iss and sub',
    ['C-45'],
    [
      'http/flow.ts',
      'recordKey(JSON.stringify([fingerprint, userId]))',
      'recordKey(JSON.stringify([fingerprint, typeof userId]))',
    ],
  ),
  without(
    'a session before a login',
    ['D-70'],
    [
      session,
      'if (req.session !== undefined && req.session !== null && req.sessionStore !== undefined) return',
      'if (true) return',
    ],
  ),
  without(
    'a session cookie that can be set',
    ['C-27', 'D-79'],
    [session, 'if (req.session.cookie.secure !== true || req.secure) return', 'if (true) return'],
  ),
  without(
    'trust in the proxy',
    ['D-79'],
    [
      session,
      'if (req.session.cookie.secure !== true || req.secure) return',
      'if (req.session.cookie.secure !== true) return',
    ],
  ),
  without(
    'guards that send nobody in circles',
    ['D-80'],
    [
      'http/unauthenticated.ts',
      'else if (goesInCircles(flow, req)) answerRefusal',
      'else if (false) answerRefusal',
    ],
  ),

  without(
    'the error of a store that failed',
    ['D-69', 'D-71', 'D-72', 'D-74', 'D-76', 'D-84'],
    [
      storeCall,
      "reject(unavailable('The store of sessions and tokens failed.', error))",
      'reject(error as Error)',
    ],
  ),
  without(
    'pages that need no token',
    ['D-69'],
    [
      'http/attach-token.ts',
      '      () => {\n        next()\n      },\n      () => {\n        next()\n      },',
      '      () => {\n        next()\n      },\n      next,',
    ],
  ),
  without(
    'waiting for the store at the start',
    ['D-71', 'D-77'],
    [
      'storage/pending-logins.ts',
      'await records.set(id, { ...login, secretHash: hash(secret) }, lifetime)',
      'records.set(id, { ...login, secretHash: hash(secret) }, lifetime).catch(() => undefined)',
    ],
  ),
  without(
    'waiting for the old session to end',
    ['D-73', 'D-77'],
    [
      session,
      'if (replacedId !== undefined) await destroy(replacedId)',
      'if (replacedId !== undefined) await destroy(replacedId).catch(() => undefined)',
    ],
  ),
  without(
    'waiting for the new session',
    ['D-74', 'D-77'],
    [
      session,
      'await callStore((done) => current.save(done))',
      'await callStore((done) => current.save(done)).catch(() => undefined)',
    ],
  ),
  without(
    'time limits of the store',
    ['D-77'],
    [storeCall, 'const timeLimit = 5_000', 'const timeLimit = 500_000'],
  ),
  without(
    'a new session id, which no slow request knows',
    ['C-26', 'D-78'],
    [
      session,
      'store.generate(req)\n',
      'store.generate(req)\n  req.sessionID = oldId\n  Object.defineProperty(req.session, "id", { value: oldId })\n',
    ],
  ),
  without(
    'finishing what a browser has begun',
    ['D-38'],
    [
      'http/finish-login.ts',
      'const finished = isConnect\n',
      "if (req.socket.destroyed) throw new PkceFlowError('server_timeout', 'The browser has gone.')\n    const finished = isConnect\n",
    ],
  ),

  without(
    'what is a navigation',
    ['C-28', 'C-29'],
    [starting, 'if (mayStart(req)) return', 'return'],
  ),
  without(
    'prefetches',
    ['C-28'],
    ['http/login-handler.ts', 'if (isPrefetch(req)) {', 'if (false) {'],
  ),
  without(
    'whose page connects an account',
    ['C-28'],
    [
      starting,
      "if (flow.settings.purpose === 'connect' && !isFromThisApp(flow, req))",
      'if (false)',
    ],
  ),
  without(
    'whose page logs out',
    ['C-28', 'D-81'],
    ['http/logout-handler.ts', '  if (own) return\n', '  if (own || !own) return\n'],
  ),
  without(
    'prefetches at logging out',
    ['D-81'],
    ['http/logout-handler.ts', "if (isPrefetch(req) || req.method === 'HEAD') {", 'if (false) {'],
  ),
  without(
    'who is a person',
    ['C-28', 'D-68'],
    ['http/unauthenticated.ts', "(mode === 'auto' && isPerson(req))", "mode === 'auto'"],
  ),
  without(
    'what a POST leaves behind',
    ['D-68'],
    [
      'http/unauthenticated.ts',
      "req.method === 'GET' ? flow.publicPath(req.originalUrl) : undefined",
      'flow.publicPath(req.originalUrl)',
    ],
  ),

  without(
    'the token in its header only',
    ['C-32'],
    [
      apiFetch,
      'return fetch(request ?? url, { ...init, headers: sent })',
      'return fetch(`${String(url)}&access_token=${accessToken}`, { ...init, headers: sent })',
    ],
  ),
  without(
    'origins that may have the token',
    ['C-42'],
    [apiFetch, 'if (!apiOrigins.has(url.origin))', 'if (false)'],
  ),
  without(
    'a user in such a URL',
    ['C-42'],
    [apiFetch, "if (url.username !== '' || url.password !== '')", 'if (false)'],
  ),
]
