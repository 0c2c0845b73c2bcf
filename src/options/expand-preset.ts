import { checkPreset } from './check-preset.ts'
import { invalid, isRecord } from './checks.ts'
import { refuseHalfMoved } from './moved-preset.ts'
import type { Dialect, Preset } from './preset.ts'
import { metadataNames } from './server-metadata.ts'

/** Options with what the preset in them says put in their places. */
export interface ExpandedOptions<Options> {
  options: Options
  /** Scope beside the app's own. */
  scope: readonly string[]
  dialect: Dialect
}

/**
 * Puts a preset given as `server` under the app's own options, checked; others are as they were.
 * Throws `configuration` that names the member at fault.
 */
export function expandPreset<Options extends object>(given: Options): ExpandedOptions<Options> {
  const own = given as Readonly<Record<string, unknown>>
  const { server } = own
  if (!isRecord(server) || !('preset' in server)) return { options: given, scope: [], dialect: {} }
  if (own.issuer !== undefined) throw invalid('issuer', 'cannot be beside a preset')
  checkPreset(server)
  const { clientAuth, authorizationParams, scope = [], dialect = {} } = server
  const apiOrigins = server.apiOrigins ?? originOf(server.issuer)
  const usesSecret = own.clientSecret !== undefined && own.clientAuth === undefined
  const options = {
    ...given,
    ...serverOptions(server),
    ...(clientAuth !== undefined && usesSecret && { clientAuth }),
    authorizationParams: under(authorizationParams, own.authorizationParams),
    apiOrigins: both(apiOrigins, own.apiOrigins),
  }
  refuseHalfMoved(server)
  // A copy: what the app does to its own object later changes nothing.
  return { options, scope: [...scope], dialect: structuredClone(dialect) }
}

/** With an issuer and not both endpoints it is discovered, else the metadata say all. */
function serverOptions(preset: Preset): object {
  const known: readonly string[] = metadataNames
  const metadata: Record<string, unknown> = Object.fromEntries(
    Object.entries(preset).filter(([name]) => known.includes(name)),
  )
  if (metadata.authorization_endpoint && metadata.token_endpoint) return { server: metadata }
  const { issuer, ...more } = metadata
  return { issuer, server: issuer === undefined ? metadata : more }
}

/** What is not an object is for its own check to refuse. */
function under(preset: Preset['authorizationParams'], own: unknown): unknown {
  return own === undefined || isRecord(own) ? { ...preset, ...own } : own
}

/** Where the token may be sent with no origin named. */
function originOf(issuer: string | undefined): string[] | undefined {
  return issuer !== undefined && URL.canParse(issuer) ? [new URL(issuer).origin] : undefined
}

/** What is not an array is for its own check to refuse. */
function both(preset: readonly string[] | undefined, own: unknown): unknown {
  if (own === undefined) return preset
  return preset !== undefined && Array.isArray(own) ? [...preset, ...(own as unknown[])] : own
}
