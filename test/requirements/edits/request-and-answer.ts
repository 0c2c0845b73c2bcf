import { a1, a7, fatally, without, type Edit } from './edit.ts'

const answers = 'protocol/authorization-response.ts'
const request = 'protocol/authorization-request.ts'
const finish = 'http/finish-login.ts'
const callback = 'http/callback-handler.ts'

/** What a browser is sent away with, what it comes back with, and whether it is the same browser. */
export const requestAndAnswerEdits: readonly Edit[] = [
  without(
    'secrets of 256 bits',
    ['C-01', 'C-03', 'C-07'],
    [request, 'return randomBytes(32)', 'return randomBytes(20)'],
  ),
  without(
    'secrets that are made anew',
    ['C-04'],
    [request, "return randomBytes(32).toString('base64url')", "return 'x'.repeat(43)"],
  ),
  without(
    'a new login for each start',
    ['C-04'],
    [
      'http/start-login.ts',
      'const secrets = createAuthorizationSecrets()',
      'const secrets = (((globalThis as any).secrets ??= new Map()) as Map<string, any>).get(returnTo) ?? createAuthorizationSecrets(); (globalThis as any).secrets.set(returnTo, secrets)',
    ],
  ),
  fatally(
    'S256',
    ['C-03'],
    [request, "code_challenge_method: 'S256',", "code_challenge_method: 'plain',"],
  ),
  without(
    'the binding of a login to its browser',
    ['C-01', 'C-02', 'D-3', 'D-5', 'D-6', 'D-27', 'D-80'],
    [
      'http/binding-cookie.ts',
      'find: (req, id) => all(req).find((cookie) => cookie.id === id),',
      "find: (req, id) => all(req).find((cookie) => cookie.id === id) ?? { name: prefix + id, id, secret: '', kind: 'own', startedAt: Date.now() },",
    ],
    [
      'storage/pending-logins.ts',
      'return login !== undefined && isSame(login.secretHash, hash(secret)) ? login : undefined',
      'return login',
    ],
  ),
  without(
    'the comparison of the secret in the cookie',
    ['C-02', 'D-3'],
    [
      'storage/pending-logins.ts',
      'return login !== undefined && isSame(login.secretHash, hash(secret)) ? login : undefined',
      'return login',
    ],
  ),
  without(
    'the demand for a state and a code',
    ['D-9', 'D-10'],
    [answers, "if (state === undefined || state === '') throw invalid('has no state')", ''],
    [
      answers,
      "if (error === undefined && (code === undefined || code === '')) throw invalid('has no code')",
      '',
    ],
  ),
  without(
    'the demand for a state',
    ['C-02', 'D-2', 'D-12'],
    [answers, "if (state === undefined || state === '') throw invalid('has no state')", ''],
  ),
  without(
    'the demand for a code',
    ['D-2'],
    [
      answers,
      "if (error === undefined && (code === undefined || code === '')) throw invalid('has no code')",
      '',
    ],
  ),
  without(
    'the refusal of parameters of other flows',
    ['D-25'],
    [
      answers,
      "if (parameters.has(name)) throw invalid('has parameters of another flow')",
      'void name',
    ],
  ),
  without(
    'the refusal of repeated parameters',
    ['C-22', 'D-1'],
    [
      answers,
      "if (parameters.getAll(name).length > 1) throw invalid('repeats a parameter')",
      'void name',
    ],
  ),
  without(
    'the limits of parameters',
    ['C-22', 'D-18', 'D-19'],
    [answers, 'value.length <= longest && ', ''],
  ),
  without(
    'the refusal of characters',
    ['C-22', 'D-20'],
    [
      answers,
      '(value.length <= longest && /^[\\x20-\\x7e]*$/.test(value))',
      'value.length <= longest',
    ],
  ),
  without(
    'tolerance of unknown parameters',
    ['C-22'],
    [answers, "'token', 'access_token']", "'token', 'access_token', 'session_state']"],
  ),
  without(
    'silence about what came',
    ['C-22'],
    [
      callback,
      'await explain(flow, req, id, cookie)\n      throw new StateForgeryError()',
      "throw new PkceFlowError('login_not_found', `No login belongs to ${decodeURIComponent(req.url)}`)",
    ],
  ),
  without(
    'silence about error_description',
    ['D-17'],
    [
      answers,
      "return new PkceFlowError('access_denied', 'The login was refused.', details)",
      "return new PkceFlowError('access_denied', `The login was refused: ${(globalThis as any).said}`, details)",
    ],
    [
      answers,
      'return { state, code, error, iss }',
      ";(globalThis as any).said = parameters.get('error_description')\n  return { state, code, error, iss }",
    ],
  ),
  without(
    'the comparison of iss',
    ['C-08', 'D-21', 'D-23', 'D-24'],
    [answers, 'issuer === undefined || iss === issuer) return', 'true) return'],
  ),
  without(
    'the demand for an iss that was announced',
    ['C-08', 'D-22'],
    [answers, 'iss === undefined ? announced !== true :', 'iss === undefined ? true :'],
  ),
  without(
    'an error that has no name being one',
    ['D-14'],
    [finish, 'if (answer.error !== undefined) throw', 'if (answer.error) throw'],
  ),
  without(
    'an error beside a code being one',
    ['D-13', 'D-14'],
    [
      finish,
      'if (answer.error !== undefined) throw',
      'if (answer.error !== undefined && answer.code === undefined) throw',
    ],
  ),
  without(
    'the comparison of iss in errors',
    ['C-08', 'D-21', 'D-22'],
    [
      finish,
      'validateIssuer(server, answer.iss)\n  if (answer.error !== undefined) throw authorizationError(answer.error)',
      'if (answer.error !== undefined) throw authorizationError(answer.error)\n  validateIssuer(server, answer.iss)',
    ],
  ),
  without(
    'the meaning of access_denied',
    ['D-11', 'D-13', 'D-17'],
    [answers, "case 'access_denied':", "case 'another':"],
  ),
  without(
    'the meaning of login_required',
    ['D-15'],
    [
      answers,
      "'login_required',\n        'The authorization server cannot",
      "'authorization_failed',\n        'The authorization server cannot",
    ],
  ),
  without(
    'the meaning of temporarily_unavailable',
    ['D-16'],
    [answers, "case 'temporarily_unavailable':", "case 'another':"],
  ),
  without(
    'the meaning of errors about the client',
    ['D-16'],
    [answers, "case 'invalid_request':\n    case 'invalid_scope':", "case 'another':"],
  ),
  without(
    'the list of registered errors',
    ['D-16', 'D-42'],
    [
      'protocol/registered-error.ts',
      "typeof error === 'string' && registeredErrors.has(error)",
      "typeof error === 'string'",
    ],
  ),
  without(
    'the outcome of a login that is finished',
    ['C-05', 'D-4', 'D-30'],
    [finish, 'switch (outcome?.status) {', 'switch (undefined as string | undefined) {'],
  ),
  without(
    'a login that was taken being used up',
    ['C-05'],
    [finish, "case 'taken':\n      throw interrupted()\n", "case 'taken':\n"],
  ),
  without(
    'the note that a login is taken, before anything is sent',
    ['D-72'],
    [
      finish,
      "await record({ status: 'taken', at: Date.now() })",
      "await record({ status: 'taken', at: Date.now() }).catch(() => undefined)",
    ],
  ),
  without(
    'one at a time',
    ['D-30'],
    [
      finish,
      'return flow.mutex.run(`pl.${binding.id}`, (hold) => finishOnce(flow, req, binding, answer, hold))',
      'return finishOnce(flow, req, binding, answer, { secure: () => Promise.resolve(true) })',
    ],
  ),
  without(
    'waiting for another process',
    ['D-30'],
    [finish, "if (login?.outcome?.status !== 'taken') return login", 'return login'],
  ),
  without(
    'the secrets that a login must still have',
    ['C-03', 'C-07'],
    [
      'protocol/token-request.ts',
      "if (needed.some((secret) => typeof secret !== 'string' || secret === ''))",
      'if (needed.length === 0)',
    ],
  ),
  without(
    'the state of the request being the key of its login',
    ['D-87'],
    [
      'storage/pending-logins.ts',
      'return recordKey(state)',
      'return state in {} ? state : recordKey(state)',
    ],
    [
      'http/binding-cookie.ts',
      'find: (req, id) => all(req).find((cookie) => cookie.id === id),',
      'find: (req, id) => Object.fromEntries(all(req).map((cookie) => [cookie.id, cookie]))[id],',
    ],
    [
      'storage/pending-logins.ts',
      'const content = (await records.get(id))?.content',
      'const content = ({} as any)[id] ?? (await records.get(id))?.content',
    ],
    [
      'storage/pending-logins.ts',
      'return isPendingLogin(content) ? (content as PendingLogin) : undefined',
      'return content as PendingLogin | undefined',
    ],
  ),
  without(
    'the lifetime of records',
    ['C-06'],
    ['storage/record-store.ts', 'expiresAt > Date.now()', 'expiresAt > 0'],
  ),
  without(
    'whose record it is',
    ['D-24'],
    ['storage/record-store.ts', 'row.version !== version || row.flow !== flow', 'false'],
  ),
  without(
    'the shape of a record',
    ['D-24'],
    [
      'storage/record-store.ts',
      'if (!isRow(row) || row.version',
      'if (row == null || (row as any).version',
    ],
  ),
  without(
    'the cap of pending logins',
    ['C-06', 'C-28', 'C-29'],
    ['http/binding-cookie.ts', 'Math.max(peers.length + 1 - most, 0)', '0'],
  ),
  without(
    'room for several logins at once',
    ['C-06', 'D-31'],
    [
      'http/binding-cookie.ts',
      'const most = crossSite ? maxCrossSite : settings.maxPendingLogins',
      'const most = 1',
    ],
  ),
  without(
    'the order in which logins go',
    ['C-06'],
    [
      'http/binding-cookie.ts',
      "const rank = ({ kind }: BindingCookie) => (kind === 'finished' ? 0 : 1)",
      'const rank = (_: BindingCookie) => 0',
    ],
  ),
  without(
    'a cap of their own for logins that others start',
    ['C-28', 'C-29'],
    ['http/binding-cookie.ts', 'const maxCrossSite = 3', 'const maxCrossSite = 30'],
  ),
  without('HttpOnly', ['C-27'], ['http/binding-cookie.ts', 'httpOnly: true', 'httpOnly: false']),
  without('__Host-', ['C-27'], ['http/binding-cookie.ts', "secure ? '__Host-' : ''", "''"]),
  without(
    'SameSite',
    ['C-27'],
    [
      'http/binding-cookie.ts',
      "sameSite: settings.responseMode === 'form_post' ? 'none' : 'lax'",
      "sameSite: 'none'",
    ],
  ),
  without(
    'clearing the cookie of a login that is gone',
    ['D-7'],
    [callback, 'if (cookie !== undefined) cookies.clear(res, cookie)\n', ''],
  ),
  without(
    'a login being independent of the session',
    ['D-7', 'D-8', 'D-27'],
    ['http/start-login.ts', 'host: req.hostname,', 'host: req.sessionID,'],
    [
      callback,
      'if (cookie === undefined || login === undefined) {',
      'if (cookie === undefined || login === undefined || (login.inSession && login.host !== req.sessionID)) {',
    ],
  ),
  without(
    'going on with the session cookie',
    ['C-27', 'D-27'],
    [callback, 'mayLackSession(flow, req, login)) {', 'false) {'],
  ),
  without(
    'putting a repetition into the session that was made',
    ['D-4', 'D-5'],
    [callback, 'if (!first) await rejoin(req, login)', ''],
  ),
  without(
    'the minute in which that is done',
    ['D-5'],
    [callback, 'const adoptionTime = 60_000', 'const adoptionTime = 60_000_000'],
  ),
  without(
    'the check of whose session is replaced by it',
    ['D-5'],
    [callback, '(!stored || sessionId(req) === login.replacedSessionId) &&', ''],
  ),
  without(
    'methods',
    ['C-28', 'D-9', 'D-28', 'D-81', 'D-84'],
    [
      'http/routes.ts',
      'else if (route.methods.includes(req.method) || (route.takesForms',
      'else if (true || (route.takesForms',
    ],
  ),
  without(
    'the demand for a POST where there is form_post',
    ['D-28'],
    ['http/authorization-answer.ts', "if (responseMode === 'form_post')", 'if (false)'],
  ),
  without(
    'what a parser makes of repeated parameters being none',
    ['D-1', 'D-2'],
    ['http/form-body.ts', "typeof value === 'string' ? value : '\\0'", 'String(value)'],
  ),
  without(
    'the limit of forms',
    ['C-22', 'C-29', 'D-29'],
    ['http/form-body.ts', 'const largestBody = 64 * 1024', 'const largestBody = 640 * 1024'],
  ),
  without(
    'what the app has parsed',
    ['C-29', 'D-29'],
    [
      'http/form-body.ts',
      "if (typeof parsed === 'string' || Buffer.isBuffer(parsed))",
      'if (false)',
    ],
  ),
  without(
    'the redirect URI that is configured',
    ['C-23', 'D-26'],
    [
      finish,
      '      redirectUri,\n      clientId,',
      '      redirectUri: redirectUri.replace(/\\/\\/[^/]*/, `//${req.headers.host}`),\n      clientId,',
    ],
  ),
  without(
    'the way to our own host',
    ['D-26'],
    ['http/own-host.ts', 'if (!isElsewhere(flow, req) || wasMoved(req)', 'if (true'],
  ),
  without(
    'taking that way once only',
    ['D-26'],
    [
      'http/own-host.ts',
      'if (!isElsewhere(flow, req) || wasMoved(req)',
      'if (!isElsewhere(flow, req)',
    ],
  ),
  without(
    'the scope that the app asks for',
    ['C-45', ...a1('-scope-userinfo-claims')],
    [
      request,
      '...(request.scope.length > 0 && { scope: request.scope.join(scopeSeparator) })',
      "scope: 'openid', unused: scopeSeparator",
    ],
  ),
  without(
    'the least scope',
    ['C-45'],
    [
      'options/scope.ts',
      "(issuer === undefined ? [] : ['openid'])",
      "(issuer === undefined ? [] : ['openid', 'profile'])",
    ],
  ),
  without(
    'parameters of the app that are ours',
    ['C-01', 'C-03', 'C-07', 'C-45'],
    ['options/authorization-params.ts', 'if (ownParameters.has(name))', 'if (false)'],
  ),
  without(
    'a third party that asks for a login',
    [a7, 'C-29'],
    [
      'http/initiated-login.ts',
      'if (issuer === undefined || named.length !== 1 || named[0] !== issuer) throw',
      'if (named.length > 0) throw',
    ],
  ),
  without(
    'the issuer of a third party’s request',
    ['C-29', 'D-86'],
    [
      'http/initiated-login.ts',
      'if (issuer === undefined || named.length !== 1 || named[0] !== issuer) throw',
      'if (false) throw',
    ],
  ),
  without(
    'the place that a third party names',
    ['D-86'],
    [
      'http/initiated-login.ts',
      "const returnTo = flow.placeToReturn(parameters.get('target_link_uri'))",
      "const returnTo = parameters.get('target_link_uri') ?? undefined",
    ],
    [
      'http/callback-handler.ts',
      'flow.placeToReturn(stored) ?? flow.settings.afterLogin',
      'stored',
    ],
  ),
  without(
    'the characters of a hint',
    ['D-86'],
    ['http/initiated-login.ts', '!/\\p{Cc}/u.test(hint)', 'true'],
  ),
  without(
    'pushed requests',
    ['C-34', 'D-88'],
    [
      'protocol/pushed-authorization-request.ts',
      'if (server.metadata.require_pushed_authorization_requests !== true)',
      'if (true)',
    ],
  ),
  without(
    'a reference and nothing else',
    ['C-34'],
    [
      'protocol/pushed-authorization-request.ts',
      'authorizationUrl(server, { client_id: request.clientId, request_uri })',
      'authorizationUrl(server, { ...parameters, request_uri })',
    ],
  ),
  without(
    'the meaning of a pushed request that is refused',
    ['D-88'],
    [
      'protocol/pushed-authorization-request.ts',
      'if (status === 400 || status === 401 || isAboutClient(refusal))',
      'if (false)',
    ],
  ),
  without(
    'the check of the reference',
    ['D-88'],
    [
      'protocol/pushed-authorization-endpoint.ts',
      "if (typeof reference !== 'string' || !/^[\\x21-\\x7e]{1,2048}$/.test(reference))",
      'if (false)',
    ],
  ),
]
