import { createHash } from 'node:crypto'
import type { KeyValueStore } from './key-value-store.ts'
import type { Sealing } from './sealing.ts'
import { isTime } from './stored-values.ts'

/** Records of our own in a store, each with an expiry. */
export interface RecordStore {
  /** The record, or `undefined` if there is none, it has expired or is another flow's. */
  get(key: string): Promise<StoredRecord | undefined>
  /** Writes a record that lives for `lifetime` milliseconds. */
  set(key: string, content: object, lifetime: number): Promise<void>
  destroy(key: string): Promise<void>
}

/** A record as it was written. */
export interface StoredRecord {
  content: object
  /** Milliseconds since the epoch. */
  expiresAt: number
}

/** What is stored: the content sealed, as text, or plain. */
interface Row {
  content: unknown
  expiresAt: number
}

const version = 1

/** The key for what is known by this text, which it does not show: 32 hex digits. */
export function recordKey(text: string): string {
  // Not a slice of all digits, which would keep all of them in memory.
  return createHash('sha256').update(text).digest().toString('hex', 0, 16)
}

/**
 * Keeps records under keys of 35 characters, which every store's key column holds: `kind`, three
 * characters that end in a dot, and 32 hex digits. A dot never occurs in express-session's own ids.
 *
 * Calls reject with `store_unavailable`.
 *
 * @param flow fingerprint of flow name, client id and redirect URI: a record of another flow is none
 * @param sealing with it, a record is none unless it was sealed with one of its keys
 */
export function createRecordStore(
  store: KeyValueStore,
  kind: `${string}.`,
  flow: string,
  sealing?: Sealing,
): RecordStore {
  const warn = createWarning()

  function contentOf({ content, expiresAt }: Row, key: string): unknown {
    const isSealed = typeof content === 'string'
    if (isSealed !== (sealing !== undefined)) {
      warn(isSealed ? 'sealed' : 'plain')
      return undefined
    }
    if (sealing === undefined) return content
    const opened = sealing.open(content, { kind, flow, key, expiresAt })
    if (opened === undefined) warn('foreign')
    return opened
  }

  return {
    async get(key) {
      const row = await store.get(kind + key)
      if (!isRow(row) || row.version !== version || row.flow !== flow) return undefined
      const content = contentOf(row, key)
      if (typeof content !== 'object' || content === null) return undefined
      return { content, expiresAt: row.expiresAt }
    },
    async set(key, content, lifetime) {
      const expiresAt = Date.now() + lifetime
      const stored = sealing?.seal(content, { kind, flow, key, expiresAt }) ?? content
      await store.set(kind + key, { content: stored, version, flow, expiresAt }, lifetime)
    },
    destroy: (key) => store.delete(kind + key),
  }
}

/** A store may keep a row longer than it was told: our own expiry counts as well. */
function isRow(value: unknown): value is Row & { version: unknown; flow: unknown } {
  if (typeof value !== 'object' || value === null) return false
  const { content, expiresAt } = value as Partial<Row>
  return content !== undefined && content !== null && isTime(expiresAt) && expiresAt > Date.now()
}

/** Why a record that is there is taken for none, and what to do about it. */
const warnings = {
  sealed:
    'is sealed, and this process has no encryptionKeys. Give every process that shares the store ' +
    'the same encryptionKeys.',
  plain:
    'is not sealed, and this process has encryptionKeys. If it was written before you set them, its ' +
    'user logs in again; if not, give every process that shares the store the same encryptionKeys.',
  foreign:
    'is sealed with none of the encryptionKeys, or was changed. Give every process that shares the ' +
    'store the same encryptionKeys, and keep an old key in them until what it sealed has expired.',
}

/** Says each of the warnings once. */
function createWarning() {
  const said = new Set<keyof typeof warnings>()
  return function warn(which: keyof typeof warnings): void {
    if (said.has(which)) return
    said.add(which)
    process.emitWarning(
      `express-pkce-flow: a stored record ${warnings[which]} It is taken for no record.`,
      { code: 'PKCE_FLOW_SEALED_RECORD' },
    )
  }
}
