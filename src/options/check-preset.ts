import { resolveAuthorizationParams } from './authorization-params.ts'
import { invalid, isRecord, isText, oneOf, refuseUnknown, textList } from './checks.ts'
import { resolveOrigins } from './places.ts'
import type { Dialect, Preset, ProfileDialect, TokenError } from './preset.ts'
import { resolveScopeList } from './scope.ts'
import { metadataNames, type ServerMetadata } from './server-metadata.ts'

const presetNames = Object.keys({
  preset: 0,
  clientAuth: 0,
  authorizationParams: 0,
  scope: 0,
  apiOrigins: 0,
  dialect: 0,
  without: 0,
} satisfies Record<Exclude<keyof Preset, keyof ServerMetadata>, 0>)

const dialectNames = Object.keys({
  scopeSeparator: 0,
  grantedScope: 0,
  jsonRequests: 0,
  formResponses: 0,
  tokenTypes: 0,
  refusals: 0,
  profile: 0,
} satisfies Record<keyof Dialect, 0>)

const profileNames = Object.keys({
  id: 0,
  method: 0,
  headers: 0,
} satisfies Record<keyof ProfileDialect, 0>)

const tokenErrors = Object.keys({
  invalid_client: 0,
  invalid_grant: 0,
  invalid_request: 0,
  invalid_scope: 0,
  temporarily_unavailable: 0,
  unauthorized_client: 0,
} satisfies Record<TokenError, 0>) as readonly TokenError[]

/** Headers of a request for the profile that are ours. */
const ownHeaders = ['accept', 'authorization', 'content-length', 'host', 'user-agent']

type Given = Record<string, unknown>

/**
 * Checks what a preset has beside metadata: those of this package pass, one of the app's own may be
 * anything. Throws `configuration` that names the member.
 */
export function checkPreset(server: Given): asserts server is Given & Preset {
  refuseUnknown(server, [...presetNames, ...metadataNames], 'server.')
  const { preset, clientAuth, authorizationParams, scope, apiOrigins, without } = server
  if (!isText(preset)) throw invalid('server.preset', 'must be a name, which is a non-empty string')
  if (clientAuth !== undefined)
    oneOf('server.clientAuth', clientAuth, ['client_secret_basic', 'client_secret_post'])
  if (authorizationParams !== undefined)
    resolveAuthorizationParams(authorizationParams, 'server.authorizationParams')
  if (scope !== undefined)
    resolveScopeList('Option "server.scope"', textList('server.scope', scope))
  if (apiOrigins !== undefined) resolveOrigins('server.apiOrigins', apiOrigins)
  for (const word of without === undefined ? [] : textList('server.without', without))
    oneOf('server.without', word, ['pkce', 'refresh', 'revocation'])
  if (server.dialect !== undefined) checkDialect(record('server.dialect', server.dialect))
  if (
    (server as unknown as Preset).dialect?.profile &&
    !(server.userinfo_endpoint || server.issuer)
  )
    throw invalid('server.userinfo_endpoint', 'is needed with "server.dialect.profile"')
}

function checkDialect(dialect: Given): void {
  refuseUnknown(dialect, dialectNames, 'server.dialect.')
  const { scopeSeparator, grantedScope, tokenTypes, refusals, profile } = dialect
  if (scopeSeparator !== undefined) oneOf('server.dialect.scopeSeparator', scopeSeparator, [','])
  if (grantedScope !== undefined) {
    const { member, form } = members('server.dialect.grantedScope', grantedScope, [
      'member',
      'form',
    ])
    if (member !== undefined && !isText(member))
      throw invalid('server.dialect.grantedScope.member', 'must be the name of a member')
    if (form !== undefined) oneOf('server.dialect.grantedScope.form', form, ['commas', 'array'])
  }
  for (const name of ['jsonRequests', 'formResponses'])
    if (dialect[name] !== undefined && dialect[name] !== true)
      throw invalid(`server.dialect.${name}`, 'must be true, or left out')
  const types = tokenTypes === undefined ? [] : textList('server.dialect.tokenTypes', tokenTypes)
  if (types.some((type) => type !== type.toLowerCase()))
    throw invalid('server.dialect.tokenTypes', 'must be in lower case')
  if (refusals !== undefined) checkRefusals(record('server.dialect.refusals', refusals))
  if (profile !== undefined) checkProfile(profile)
}

function checkRefusals(refusals: Given): void {
  for (const [member, meanings] of Object.entries(refusals)) {
    const name = `server.dialect.refusals.${member}`
    for (const [value, meaning] of Object.entries(record(name, meanings))) {
      // Every refusal would begin with it.
      if (value === '' || value === '*') throw invalid(name, 'must not have an empty text')
      oneOf(name, meaning, tokenErrors)
    }
  }
}

function checkProfile(given: unknown): void {
  const { id, method, headers } = members('server.dialect.profile', given, profileNames)
  if (!isText(id) || id.split('.').includes(''))
    throw invalid('server.dialect.profile.id', "must be names of members such as 'data.id'")
  if (method !== undefined) oneOf('server.dialect.profile.method', method, ['POST'])
  if (headers === undefined) return
  const name = 'server.dialect.profile.headers'
  for (const [header, value] of Object.entries(record(name, headers))) {
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(header) || !isText(value) || !/^[\x20-\x7e]+$/.test(value))
      throw invalid(name, 'must be names of headers with their values, as text')
    if (ownHeaders.includes(header.toLowerCase()))
      throw invalid(name, `must not have ${header.toLowerCase()}: it is set already`)
  }
}

function record(name: string, value: unknown): Given {
  if (!isRecord(value)) throw invalid(name, 'must be an object')
  return value
}

function members(name: string, value: unknown, known: readonly string[]): Given {
  const given = record(name, value)
  refuseUnknown(given, known, `${name}.`)
  return given
}
