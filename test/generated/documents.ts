import fc from 'fast-check'
import type { Sent } from './answering-server.ts'
import { markup } from './outcomes.ts'

/** A member of a JSON object as it is written: its name, and its value as JSON text. */
export type Member = readonly [name: string, text: string]

/** How a document differs from the valid one. */
export interface Spoiling {
  edits: readonly Edit[]
  delivery: Delivery
}

type Edit =
  | { edit: 'replace' | 'repeat-before' | 'repeat-after'; at: number; text: string }
  | { edit: 'remove'; at: number }
  | { edit: 'add'; name: string; text: string }

/** What happens to the whole text, and what is said about it. */
export interface Delivery {
  status: number
  headers: Readonly<Record<string, string>>
  bytes: (typeof deformations)[number]
}

const deformations = [
  ...([
    'as it is',
    'byte order mark',
    'truncated',
    'more after it',
    'in an array',
    'null',
  ] as const),
  ...(['HTML', 'UTF-16', 'invalid UTF-8', 'NUL after it', 'huge', 'deep', 'text'] as const),
  ...(['spaces', 'empty'] as const),
] as const

/** JSON texts that nobody expects as the value of a member. */
const oddTexts: readonly string[] = [
  ...['null', 'true', 'false', '0', '-0', '-1', '1', '0.5', '1e308', '-1e308', '1e999', '-1e999'],
  ...['9007199254740993', '1e-320', '""', '" "', '"null"', '"0"', '"true"', '"\\u0000"'],
  ...['[]', '[[]]', '[null]', '["a","b"]', '{}', '{"a":{"b":[]}}', '{"__proto__":{"a":1}}'],
  ...['{"toString":1}', '{"then":1}', '{"length":1e9}', '{"toJSON":"a"}', '"__proto__"'],
  ...['"constructor"', '"\\ud800"', '"\\u202e\\u0000"', '"\\r\\nX-Injected: a"', '"é€😀"'],
  JSON.stringify(markup),
  JSON.stringify('a'.repeat(5_000)),
  `${'['.repeat(500)}${']'.repeat(500)}`,
]

const prototypeNames = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'then', 'toJSON']

/** Ways to spoil a document with `size` members, a good part of which leave it valid. */
export function spoilings(
  names: readonly string[],
  texts: readonly string[],
  deliveries: fc.Arbitrary<Delivery> = deliveriesOf({}),
): fc.Arbitrary<Spoiling> {
  const at = fc.nat({ max: names.length - 1 })
  const text = fc.oneof(
    { arbitrary: fc.constantFrom(...texts), weight: 4 },
    { arbitrary: fc.constantFrom(...oddTexts), weight: 4 },
    { arbitrary: fc.json({ maxDepth: 2 }), weight: 1 },
  )
  const edit: fc.Arbitrary<Edit> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        edit: fc.constantFrom('replace', 'replace', 'repeat-before', 'repeat-after'),
        at,
        text,
      }),
    },
    { weight: 1, arbitrary: fc.record({ edit: fc.constant('remove'), at }) },
    {
      weight: 1,
      arbitrary: fc.record({
        edit: fc.constant('add'),
        name: fc.constantFrom(...prototypeNames, ...names, markup, ''),
        text,
      }),
    },
  )
  return fc.record({ edits: fc.array(edit, { maxLength: 3 }), delivery: deliveries })
}

/** Most documents arrive as they are. */
export function deliveriesOf(more: {
  statuses?: readonly number[]
  headers?: readonly Readonly<Record<string, string>>[]
}): fc.Arbitrary<Delivery> {
  const { statuses = [], headers = [] } = more
  const types = [
    ...['application/json', 'application/json;charset=utf-8', 'text/html', 'text/plain', '', 'a/b'],
    ...['application/x-www-form-urlencoded', 'application/jwt', 'application/json, text/html'],
  ]
  const usual = { 'content-type': 'application/json' }
  const bytes = deformations.filter((each) => each !== 'huge' && each !== 'deep')
  const large = ['huge', 'deep', ...Array<'as it is'>(18).fill('as it is')] as const
  return fc.record({
    status: fc.oneof(
      { weight: 8, arbitrary: fc.constant(200) },
      {
        weight: 2,
        arbitrary: fc.constantFrom(
          ...[200, 201, 202, 204, 301, 302, 304, 307, 400, 401, 403, 404, 405, 410, 418, 429],
          ...[500, 502, 503, 599, ...statuses],
        ),
      },
    ),
    headers: fc.oneof(
      { weight: 6, arbitrary: fc.constant(usual) },
      { weight: 2, arbitrary: fc.constantFrom(...types).map((type) => ({ 'content-type': type })) },
      {
        weight: 2,
        arbitrary: fc.constantFrom<Readonly<Record<string, string>>>(
          { ...usual, 'retry-after': '120' },
          { ...usual, 'retry-after': '-1' },
          { ...usual, 'retry-after': '99999999999' },
          { ...usual, 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' },
          { ...usual, 'retry-after': markup },
          { ...usual, location: 'https://evil.invalid/' },
          { ...usual, location: '//evil.invalid/' },
          { ...usual, location: 'javascript:alert(1)' },
          { ...usual, location: '.' },
          { ...usual, 'www-authenticate': 'Basic realm="a"' },
          { ...usual, 'set-cookie': 'connect.sid=evil', 'x-injected': 'a' },
          { ...usual, 'content-encoding': 'gzip' },
          ...headers.map((each) => ({ ...usual, ...each })),
        ),
      },
    ),
    bytes: fc.oneof(
      { weight: 16, arbitrary: fc.constant('as it is') },
      { weight: 3, arbitrary: fc.constantFrom(...bytes) },
      { weight: 1, arbitrary: fc.constantFrom(...large) },
    ),
  })
}

/** The members with the edits made, which may leave some of one name. */
export function edited(members: readonly Member[], edits: readonly Edit[]): Member[] {
  const result = [...members]
  for (const each of edits) {
    if (each.edit === 'add') {
      result.push([each.name, each.text])
      continue
    }
    const at = each.at % Math.max(result.length, 1)
    const name = result[at]?.[0]
    if (name === undefined) continue
    if (each.edit === 'remove') result.splice(at, 1)
    else if (each.edit === 'replace') result[at] = [name, each.text]
    else result.splice(each.edit === 'repeat-after' ? at + 1 : at, 0, [name, each.text])
  }
  return result
}

/** The text of an object. */
export function textOf(members: readonly Member[]): string {
  return `{${members.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`
}

/** The document as it is sent. */
export function send(text: string, { status, headers, bytes }: Delivery): Sent {
  // Node's own client and server say no to these, so no test can see what comes of them.
  const body = status === 204 || status === 304 ? '' : deformed(text, bytes)
  return { status, headers, body }
}

export function deformed(text: string, bytes: Delivery['bytes']): string | Buffer {
  switch (bytes) {
    case 'as it is':
      return text
    case 'byte order mark':
      return `\ufeff${text}`
    case 'truncated':
      return text.slice(0, -3)
    case 'more after it':
      return `${text}}`
    case 'in an array':
      return `[${text}]`
    case 'null':
      return 'null'
    case 'empty':
      return ''
    case 'HTML':
      return `<!doctype html><title>${markup}</title>`
    case 'UTF-16':
      return Buffer.from(text, 'utf16le')
    case 'invalid UTF-8':
      return Buffer.concat([
        Buffer.from(text.slice(0, -1)),
        Buffer.from(',"a":"\xff\xfe"}', 'latin1'),
      ])
    case 'NUL after it':
      return `${text}\0`
    case 'huge':
      return `${text.slice(0, -1)},"a":"${'a'.repeat(2 ** 20)}"}`
    case 'deep':
      return `${text.slice(0, -1)},"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`
    case 'text':
      return JSON.stringify(text)
    case 'spaces':
      return ` \r\n\t${text} \r\n`
  }
}

/** What a client may read of an answer: a JSON object (RFC 8259), whatever is said of its type. */
export function objectIn({ body }: Sent): Record<string, unknown> | undefined {
  if (body.length > 2 ** 20) return undefined
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
