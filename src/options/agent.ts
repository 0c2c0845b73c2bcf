import { Agent } from 'node:http'
import { invalid, isRecord } from './checks.ts'
import type { ServerMetadata } from './server-metadata.ts'

/** Checks that an agent can reach the authorization server. */
export function resolveAgent(
  value: unknown,
  issuer: string | undefined,
  { token_endpoint: endpoint }: ServerMetadata,
): Agent | undefined {
  if (value === undefined) return undefined
  if (!isRecord(value) || typeof value.destroy !== 'function')
    throw invalid('agent', 'must be an Agent of node:https or node:http')
  // Agents made for proxies serve both.
  const plain = Object.getPrototypeOf(value) === Agent.prototype
  if (plain && new URL(issuer ?? String(endpoint)).protocol === 'https:')
    throw invalid('agent', 'must be an Agent of node:https: the authorization server is at https:')
  return value as unknown as Agent
}
