import { invalid, isRecord, refuseUnknown, textList } from './checks.ts'
import type { PkceFlowOptions } from './options.ts'
import type { Dialect, Preset } from './preset.ts'
import { metadataNames, type ServerMetadata } from './server-metadata.ts'

/** Options with what the preset in them says put in their places. */
export interface ExpandedOptions<Property extends string> {
  options: Readonly<PkceFlowOptions<Property>>
  /** Scope beside the app's own. */
  scope: readonly string[]
  dialect: Dialect
}

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

/** Puts a preset given as `server` under the app's own options; others are as they were. */
export function expandPreset<Property extends string>(
  given: Readonly<PkceFlowOptions<Property>>,
): ExpandedOptions<Property> {
  const { server } = given as { server?: unknown }
  if (!isRecord(server) || !('preset' in server)) return { options: given, scope: [], dialect: {} }
  if (given.issuer !== undefined) throw invalid('issuer', 'cannot be beside a preset')
  refuseUnknown(server, [...presetNames, ...metadataNames], 'server.')
  const { clientAuth, authorizationParams, scope, apiOrigins, dialect = {} } = server
  if (!isRecord(dialect)) throw invalid('server.dialect', 'must be an object')
  refuseUnknown(dialect, dialectNames, 'server.dialect.')
  const own = given as Record<string, unknown>
  const usesSecret = own.clientSecret !== undefined && own.clientAuth === undefined
  const options = {
    ...given,
    ...serverOptions(server),
    ...(clientAuth !== undefined && usesSecret && { clientAuth }),
    authorizationParams: under(authorizationParams, own.authorizationParams),
    apiOrigins: both(apiOrigins ?? originOf(server.issuer), own.apiOrigins),
  }
  return {
    options: options as unknown as Readonly<PkceFlowOptions<Property>>,
    scope: scope === undefined ? [] : textList('server.scope', scope),
    dialect,
  }
}

/** With an issuer and not both endpoints it is discovered, else the metadata say all. */
function serverOptions(preset: Record<string, unknown>): object {
  const known: readonly string[] = metadataNames
  const metadata = Object.fromEntries(
    Object.entries(preset).filter(([name]) => known.includes(name)),
  )
  if (metadata.authorization_endpoint && metadata.token_endpoint) return { server: metadata }
  const { issuer, ...more } = metadata
  return { issuer, server: issuer === undefined ? metadata : more }
}

/** What is not an object is for its own check to refuse. */
function under(preset: unknown, own: unknown): unknown {
  return own === undefined || isRecord(own) ? { ...(preset as object | undefined), ...own } : own
}

/** Where the token may be sent with no origin named. */
function originOf(issuer: unknown): string[] | undefined {
  return typeof issuer === 'string' && URL.canParse(issuer) ? [new URL(issuer).origin] : undefined
}

/** What is not an array is for its own check to refuse. */
function both(preset: unknown, own: unknown): unknown {
  if (!Array.isArray(preset) || (own !== undefined && !Array.isArray(own))) return own ?? preset
  return [...(preset as unknown[]), ...((own as unknown[] | undefined) ?? [])]
}
