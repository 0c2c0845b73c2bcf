import { PkceFlowError } from '../errors.ts'

/** Of attempts to connect. With several addresses of a host Node names no system call. */
const codes = new Set<unknown>(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'])
const calls = new Set<unknown>(['connect', 'getaddrinfo'])

/**
 * Whether an exchange with the authorization server failed before any of it was sent: the host was
 * not found, or no connection came about. A request that took longer than its time limit may have
 * been sent.
 */
export function nothingWasSent(error: unknown): boolean {
  if (!(error instanceof PkceFlowError) || error.code !== 'server_unavailable') return false
  const { code, syscall } = (error.cause ?? {}) as NodeJS.ErrnoException
  return codes.has(code) || calls.has(syscall)
}
