import fc from 'fast-check'
import { marks } from './properties.ts'

// Text is bytes here, one a character, as it goes over the wire.

/** As bytes of UTF-8. */
export function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

/** Names that mean something to JavaScript. */
export const prototypeNames = [
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'],
  ...['constructor[prototype]', '__proto__[state]', 'length', 'then', 'undefined', 'null', 'NaN'],
] as const

const nasty = [
  ...['', ' ', '\t', '\r\n', '\0', '\x1b[31m', '\x7f', '\x85', '%', '%%', '%zz', '%2', '%u0041'],
  ...[
    '%00',
    '%0d%0a',
    '%25',
    '%C0%AF',
    '%ED%A0%80',
    '\xff\xfe',
    '\xc0\xaf',
    '\xed\xa0\x80',
    '\xf0\x9f',
  ],
  ...[
    '[]',
    '[0]',
    '[a][b]',
    '{}',
    '{"a":1}',
    '()',
    '*',
    '..',
    '../../etc/passwd',
    ';',
    ',',
    '&',
    '=',
    '#',
  ],
  ...[
    '-1',
    '0',
    '1e308',
    '9'.repeat(20),
    '0x10',
    'true',
    'false',
    '$ne',
    '${7*7}',
    '{{7*7}}',
    '`id`',
  ],
  ...[
    "' OR 1=1 --",
    'javascript:alert(1)',
    '//evil.example',
    '/\\evil.example',
    'https://evil.example',
  ],
  ...[`${marks.tag} onload=x>`, `${marks.attribute} x="`, `'zq`, `\r\n${marks.header}: 1`],
  ...[
    `\r\n\r\n${marks.tag}>`,
    `0;url=https://evil.example`,
    bytesOf('／／evil.example'),
    bytesOf('\u2028\ufeff'),
  ],
  ...prototypeNames,
]

/** Lengths around the limits of what is read at all. */
const longTexts = fc
  .tuple(
    fc.constantFrom('a', '%', '%41', '[', '/', '.', '\xe9', 'a='),
    fc.constantFrom(100, 1_023, 1_024, 1_025, 2_048, 2_049, 4_000, 8_192, 8_193),
  )
  .map(([unit, length]) => unit.repeat(Math.ceil(length / unit.length)).slice(0, length))

/** Any characters, surrogates on their own too. */
const randomText = fc
  .array(
    fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0x10000, max: 0x10ffff })),
    {
      maxLength: 8,
    },
  )
  .map((points) => bytesOf(String.fromCodePoint(...points)))

const randomBytes = fc
  .uint8Array({ maxLength: 24 })
  .map((bytes) => Buffer.from(bytes).toString('latin1'))

/** What nobody means well by. */
export const hostileTexts: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: fc.constantFrom(...nasty), weight: 6 },
  { arbitrary: fc.string({ maxLength: 20 }), weight: 1 },
  { arbitrary: randomText, weight: 1 },
  { arbitrary: randomBytes, weight: 2 },
  { arbitrary: longTexts, weight: 1 },
  {
    arbitrary: fc
      .tuple(fc.constantFrom(...nasty), fc.constantFrom(...nasty))
      .map(([first, second]) => first + second),
    weight: 2,
  },
)

/** How a value is written. */
export type Encoding = 'percent' | 'all' | 'twice' | 'plus' | 'raw'

export const encodings: fc.Arbitrary<Encoding> = fc.constantFrom(
  ...(['percent', 'percent', 'percent', 'all', 'twice', 'plus', 'raw'] as const),
)

const percent = (character: string) =>
  `%${character.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`

/** `text` as a name or value of a form or query. */
export function encode(text: string, encoding: Encoding): string {
  switch (encoding) {
    case 'raw':
      return text
    case 'all':
      return text.replaceAll(/[^]/g, percent)
    case 'twice':
      return encode(encode(text, 'percent'), 'percent')
    case 'plus':
      return encode(text, 'percent').replaceAll('%20', '+')
    case 'percent':
      return text.replaceAll(/[^\w.~-]/g, percent)
  }
}

/** What can be in a request target or header: nothing that ends it. */
export function inOneLine(text: string): string {
  return text.replaceAll(/[\r\n]/g, '')
}
