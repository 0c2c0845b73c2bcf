import { deflateSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { hostileTexts, inOneLine } from './hostile-text.ts'
import type { WireRequest } from './raw-client.ts'

/** How a body goes over the wire. */
export interface Transfer {
  contentType: string | undefined
  encoding: 'none' | 'gzip' | 'deflate' | 'gzip, but is not' | 'unknown'
  framing: 'length' | 'chunked' | 'broken chunks' | 'truncated' | 'no length'
  /** Bytes that follow what matters, as a parameter more. */
  padding: number
}

const form = 'application/x-www-form-urlencoded'

export const transfers: fc.Arbitrary<Transfer> = fc.record({
  contentType: fc.oneof(
    { arbitrary: fc.constant(form), weight: 6 },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        ...[
          undefined,
          `${form}; charset=utf-8`,
          `${form};charset=ISO-8859-1`,
          `${form}; charset=utf-16`,
        ],
        ...[
          `${form}; charset=klingon`,
          `${form}; charset="`,
          form.toUpperCase(),
          `${form}x`,
          `${form},${form}`,
        ],
        ...['application/json', 'text/plain', 'multipart/form-data; boundary=x', 'application/xml'],
        ...['application/octet-stream', '*/*', '/', ''],
      ),
    },
    { arbitrary: hostileTexts.map(inOneLine), weight: 1 },
  ),
  encoding: fc.constantFrom(
    ...(['none', 'none', 'none', 'none', 'none', 'none', 'gzip', 'deflate'] as const),
    ...(['gzip, but is not', 'unknown'] as const),
  ),
  framing: fc.constantFrom(
    ...(['length', 'length', 'length', 'length', 'chunked', 'chunked', 'chunked'] as const),
    ...(['broken chunks', 'truncated', 'no length'] as const),
  ),
  padding: fc.constantFrom(...Array<number>(20).fill(0), 1_000, 65_000, 65_536, 70_000),
})

/** Who would inflate it, gets this out of it again. */
function compressed(text: string, encoding: Transfer['encoding']): string {
  const bytes = Buffer.from(text, 'latin1')
  if (encoding === 'gzip') return gzipSync(bytes).toString('latin1')
  if (encoding === 'deflate') return deflateSync(bytes).toString('latin1')
  return text
}

const encodingNames = {
  gzip: 'gzip',
  deflate: 'deflate',
  'gzip, but is not': 'gzip',
  unknown: 'x-zq',
}

/** The request that posts this text, as bytes of a form. */
export function posted(text: string, transfer: Transfer): WireRequest {
  const { contentType, encoding, framing, padding } = transfer
  const whole = padding === 0 ? text : `${text}&padding=${'x'.repeat(padding)}`
  const body = compressed(whole, encoding)
  const headers: [string, string][] = []
  if (contentType !== undefined) headers.push(['Content-Type', contentType])
  if (encoding !== 'none') headers.push(['Content-Encoding', encodingNames[encoding]])
  const chunkedHeaders = [...headers, ['Transfer-Encoding', 'chunked']] as [string, string][]
  switch (framing) {
    case 'length':
      return { method: 'POST', headers, body }
    case 'no length':
      // Then there is no body; what follows would be another request.
      return { method: 'POST', headers }
    case 'truncated':
      return { method: 'POST', headers, body, truncateAt: Math.floor(body.length / 2) }
    case 'chunked':
      return { method: 'POST', headers: chunkedHeaders, body: inChunks(body) }
    case 'broken chunks': {
      const broken = inChunks(body).replace('\r\n', '\r\nzq')
      return { method: 'POST', headers: chunkedHeaders, body: broken, truncateAt: broken.length }
    }
  }
}

function inChunks(body: string): string {
  const middle = Math.floor(body.length / 3)
  const parts = [body.slice(0, middle), body.slice(middle)].filter((part) => part !== '')
  const chunks = parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`)
  return `${chunks.join('')}0\r\n\r\n`
}
