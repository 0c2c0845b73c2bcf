import fc from 'fast-check'
import { encode, type Encoding, encodings, hostileTexts, prototypeNames } from './hostile-text.ts'

/** A value: that of a real request, by its name there, or any text. */
type Value = { real: string } | { text: string }

interface Parameter {
  name: string
  value: Value
  encoding: Encoding
}

/** Parameters of a query or form: a list, which is changed, and then its bytes are. */
export interface Parameters {
  list: readonly Parameter[]
  edits: readonly Edit[]
  bytes: readonly ByteEdit[]
}

/** Whether they are the parameters of the real request, as they were. */
export function isUnchanged({ list, edits: changes, bytes }: Parameters): boolean {
  const names = list.map(({ name, value }) => 'real' in value && value.real === name)
  const isReal = names.length > 1 && names.every(Boolean)
  const isOnce = new Set(list.map(({ name }) => name)).size === names.length
  return isReal && isOnce && changes.length === 0 && bytes.length === 0
}

/** What is done to a list that was all right. */
type Edit =
  | { kind: 'drop' | 'repeat' | 'bracket' | 'nest' | 'upper' | 'truncate' | 'swap'; at: number }
  | { kind: 'append' | 'replace' | 'rename'; at: number; text: string; encoding: Encoding }
  | { kind: 'insert'; at: number; name: string; text: string; encoding: Encoding }
  | { kind: 'set'; name: string; text: string }

/** What is done to what is written of it. */
interface ByteEdit {
  kind: 'delete' | 'insert' | 'replace'
  /** From 0 to 1. */
  place: number
  text: string
}

const positions = fc.nat({ max: 7 })
const names = fc.oneof(fc.constantFrom(...prototypeNames), hostileTexts)

/** Parameters that some server or client knows, and this route or another. */
const knownNames = fc.constantFrom(
  ...[
    'state',
    'code',
    'error',
    'iss',
    'error_description',
    'error_uri',
    'session_state',
    'response',
  ],
  ...['id_token', 'access_token', 'token', 'continue', 'returnTo', 'scope', 'login_hint'],
  ...['target_link_uri', 'pkce-flow-moved', 'logout_token', 'sid', 'prompt', 'max_age'],
)

const texts = fc.record({ text: hostileTexts, encoding: encodings })

const edits: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({
    kind: fc.constantFrom(
      ...(['drop', 'repeat', 'bracket', 'nest', 'upper', 'truncate', 'swap'] as const),
    ),
    at: positions,
  }),
  fc
    .tuple(fc.constantFrom('append', 'replace', 'rename'), positions, texts)
    .map(([kind, at, text]) => ({ kind, at, ...text })),
  fc
    .tuple(positions, fc.oneof(knownNames, names), texts)
    .map(([at, name, text]) => ({ kind: 'insert' as const, at, name, ...text })),
)

const byteEdits: fc.Arbitrary<ByteEdit> = fc.record({
  kind: fc.constantFrom('delete', 'insert', 'replace'),
  place: fc.double({ min: 0, max: 1, noNaN: true }),
  text: fc.oneof(
    fc.constantFrom(...['&', '=', '%', '+', '[', ']', ';', '#', '?', '\0', '\x80', 'a', '0', '.']),
    hostileTexts,
  ),
})

/**
 * Parameters of three styles: what nobody would send, what follows the grammar and means nothing, and
 * mostly a request as it should be, named by `real`, changed in few places or in none.
 *
 * @param meaningful values that such a request could have, too, and would mean something else
 */
export function parametersLike(
  real: readonly string[],
  meaningful: readonly (readonly [name: string, text: string])[] = [],
): fc.Arbitrary<Parameters> {
  const change = fc.oneof(
    { arbitrary: edits, weight: 3 },
    {
      weight: meaningful.length === 0 ? 0 : 1,
      arbitrary: fc
        .constantFrom(...meaningful, ['', ''] as const)
        .map(([name, text]) => ({ kind: 'set' as const, name, text })),
    },
  )
  const whole = real.map((name) => ({ name, value: { real: name }, encoding: 'percent' as const }))
  const parameter: fc.Arbitrary<Parameter> = fc.record({
    name: fc.oneof(fc.constantFrom(...real), knownNames, names),
    value: fc.oneof(
      hostileTexts.map((text) => ({ text })),
      fc.constantFrom(...real).map((name) => ({ real: name })),
    ),
    encoding: encodings,
  })
  const noBytes = fc.constant<ByteEdit[]>([])
  return fc.oneof(
    {
      weight: 1,
      arbitrary: hostileTexts.map((text) => ({
        list: [],
        edits: [],
        bytes: [{ kind: 'insert' as const, place: 0, text }],
      })),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        list: fc.array(parameter, { maxLength: 6 }),
        edits: fc.constant([]),
        bytes: noBytes,
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        list: fc.constant(whole),
        edits: fc.oneof(fc.array(change, { maxLength: 1 }), fc.array(change, { maxLength: 3 })),
        bytes: fc.oneof(
          { arbitrary: noBytes, weight: 3 },
          { arbitrary: fc.array(byteEdits, { maxLength: 2 }), weight: 1 },
        ),
      }),
    },
  )
}

/** The query or form, with the values of this request. */
export function write(
  { list, edits: changes, bytes }: Parameters,
  real: Readonly<Record<string, string>>,
): string {
  let pairs = list.map<[string, string]>(({ name, value, encoding }) => [
    encode(name, encoding === 'twice' ? 'percent' : encoding),
    encode('real' in value ? (real[value.real] ?? '') : value.text, encoding),
  ])
  for (const change of changes) pairs = edited(pairs, change)
  let written = pairs.map(([name, value]) => `${name}=${value}`).join('&')
  for (const { kind, place, text } of bytes) {
    const at = Math.floor(place * written.length)
    const rest = at + (kind === 'insert' ? 0 : 1)
    written = written.slice(0, at) + (kind === 'delete' ? '' : text) + written.slice(rest)
  }
  return written
}

function edited(pairs: readonly [string, string][], edit: Edit): [string, string][] {
  if (edit.kind === 'set') {
    const others = pairs.filter(([name]) => name !== edit.name)
    return [...others, [edit.name, encode(edit.text, 'percent')]]
  }
  const at = pairs.length === 0 ? 0 : edit.at % pairs.length
  const [name, value] = pairs[at] ?? ['', '']
  const replacement = (...with_: [string, string][]) => pairs.toSpliced(at, 1, ...with_)
  const text = 'encoding' in edit ? encode(edit.text, edit.encoding) : ''
  switch (edit.kind) {
    case 'drop':
      return replacement()
    case 'repeat':
      return [...pairs, [name, value]]
    case 'bracket':
      return replacement([`${name}[]`, value])
    case 'nest':
      return replacement([`${name}[${name}][a]`, value])
    case 'upper':
      return replacement([name.toUpperCase(), value])
    case 'truncate':
      return replacement([name, value.slice(0, -1)])
    case 'swap':
      return replacement([value, name])
    case 'append':
      return replacement([name, value + text])
    case 'replace':
      return replacement([name, text])
    case 'rename':
      return replacement([text, value])
    case 'insert':
      return pairs.toSpliced(at, 0, [encode(edit.name, 'percent'), text])
  }
}
