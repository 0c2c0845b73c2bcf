import fc from 'fast-check'
import { bytesOf, hostileTexts } from './hostile-text.ts'
import { marks } from './properties.ts'

/** Stands for the app's own origin, which is known when it listens. */
export const ownOrigin = '{origin}'

const evil = 'evil.example'

/** What URLs are made of, as bytes, in any order. */
const pieces = fc.constantFrom(
  ...[
    '/',
    '/',
    '/',
    '//',
    '\\',
    '\\\\',
    '/\\',
    '.',
    '..',
    '/.',
    '/..',
    '%2e',
    '%2E%2e',
    '%2f',
    '%5c',
  ],
  ...[
    '\t',
    '\n',
    '\r',
    ' ',
    '\0',
    '\x0b',
    '\x0c',
    '\x1f',
    '\x7f',
    '\x85',
    '\xa0',
    '%09',
    '%0a',
    '%00',
    '%20',
  ],
  ...[
    'http:',
    'https:',
    'HTTPS:',
    'javascript:',
    'data:',
    'blob:',
    'file:',
    'about:',
    'ws:',
    ':',
    '://',
  ],
  ...[
    '@',
    'user@',
    'user:password@',
    ':80',
    ':443',
    ':0',
    ':65536',
    ':',
    evil,
    evil,
    '127.0.0.1',
    '[::1]',
  ],
  ...['localhost', '2130706433', '0x7f.1', 'shop.example', 'shop.example.', ownOrigin, ownOrigin],
  ...[
    'https://shop.example',
    '?',
    '#',
    '&',
    '=',
    ';',
    '*',
    '%',
    '%zz',
    'a',
    'public',
    'login',
    'callback',
  ],
  ...[
    'logout',
    '/login',
    '/callback',
    '/logout',
    '~',
    '+',
    `'zq`,
    `${marks.attribute}=`,
    `${marks.tag}>`,
  ],
  ...[
    '。',
    '／',
    '＼',
    '：',
    '․',
    'ⓔvil.example',
    '\u200b',
    '\u00ad',
    '\ufeff',
    '\u2028',
    '\u202e',
    '\ud800',
  ].map(bytesOf),
)

const whole = fc.constantFrom(
  ...[
    '/public',
    '/public?x=1#y',
    '/a/b?c=%26',
    '/',
    `${ownOrigin}/public`,
    'https://shop.example/cart?x=1',
  ],
  ...[
    `//${evil}`,
    `/\\${evil}`,
    `https://${evil}/`,
    `/..//${evil}`,
    `/%2e%2e//${evil}`,
    `/\t/${evil}`,
  ],
  ...[
    `https://shop.example@${evil}/`,
    `https://shop.example.${evil}/`,
    `${ownOrigin}@${evil}/`,
    `${ownOrigin}.${evil}/`,
  ],
)

interface PlaceEdit {
  /** From 0 to 1. */
  place: number
  length: number
  text: string
}

const placeEdits: fc.Arbitrary<PlaceEdit> = fc.record({
  place: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.nat({ max: 2 }),
  text: fc.oneof(pieces, fc.constant('')),
})

function edited(text: string, { place, length, text: inserted }: PlaceEdit): string {
  // At the beginning it matters most.
  const at = Math.floor(place ** 3 * text.length)
  return text.slice(0, at) + inserted + text.slice(at + length)
}

/** Where somebody may want a browser to go, with {@link ownOrigin} in it: bytes, one a character. */
export const places: fc.Arbitrary<string> = fc.oneof(
  { weight: 1, arbitrary: hostileTexts },
  {
    weight: 1,
    arbitrary: fc.webUrl({ withQueryParameters: true, withFragments: true }).map(bytesOf),
  },
  {
    weight: 4,
    arbitrary: fc.array(pieces, { minLength: 1, maxLength: 7 }).map((all) => all.join('')),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(whole, fc.array(placeEdits, { maxLength: 3 }))
      .map(([text, edits]) => edits.reduce(edited, text)),
  },
)
