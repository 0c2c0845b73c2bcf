import { getEventListeners } from 'node:events'
import type { ServerResponse } from 'node:http'
import { inspect } from 'node:util'
import { expect } from 'chai'
import { PkceFlowError } from '../../src/index.ts'
import { createApiFetch, type ApiFetch, type TokenSource } from '../../src/http/api-fetch.ts'
import { createGate } from '../support/gate.ts'
import { startApi, type ApiRequest, type ApiServer } from './api-server.ts'

const invalidToken = { 'www-authenticate': 'Bearer realm="api", error="invalid_token"' }

/** Answers with what was sent; 401 to the token `old`. */
function answer({ method, path, headers, body }: ApiRequest, response: ServerResponse): void {
  if (path.startsWith('/redirect')) {
    const [, status, to] = /^\/redirect\/(\d+)\?to=(.*)$/.exec(path)!
    response.writeHead(Number(status), { location: decodeURIComponent(to!) }).end()
  } else if (headers.authorization === 'Bearer old') {
    response.writeHead(401, invalidToken).end('the token has expired')
  } else response.end(JSON.stringify({ method, path, body }))
}

/** A source that has `token`, then `next`; notes what it was asked for. */
function createTokens(token = 'current', next?: string): TokenSource & { asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    current() {
      asked.push('current')
      return Promise.resolve(token)
    },
    replacement(rejected) {
      asked.push(`replacement of ${rejected}`)
      return Promise.resolve(next)
    },
  }
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => expect.fail(`resolved to ${inspect(value)}`),
    (error: unknown) => error,
  )
}

describe('fetch with the token', () => {
  let api: ApiServer
  let other: ApiServer
  let apiFetch: ApiFetch

  beforeEach(async () => {
    api = await startApi(answer)
    other = await startApi(answer)
    apiFetch = createApiFetch(new Set([api.origin, 'https://api.example']))
  })

  afterEach(async () => {
    await api.close()
    await other.close()
  })

  describe('P16, C-42: where the token may go', () => {
    const refused: [what: string, input: (origin: string) => string | URL | Request][] = [
      ['another port', () => `${other.origin}/`],
      ['another host', (origin) => origin.replace('127.0.0.1', 'localhost')],
      ['another scheme', () => 'http://api.example/'],
      ['a host below', () => 'https://api.example.evil.example/'],
      ['a host above', () => 'https://example/'],
      ['a port more', () => 'https://api.example:8443/'],
      ['a URL object', () => new URL('https://evil.example/')],
      ['a Request', () => new Request('https://evil.example/')],
      ['a user', (origin) => origin.replace('//', '//user@')],
      ['a user and a password', () => 'https://user:password@api.example/'],
      ['an origin as the user', () => 'https://api.example@evil.example/'],
      ['an origin as the password', () => 'https://x:api.example@evil.example/'],
      ['backslashes', () => 'https://evil.example\\@api.example/'],
      ['a tab in the host', () => 'https://api.example\t.evil.example/'],
      ['a path', () => '/projects'],
      ['no scheme', () => '//api.example/'],
      ['nothing', () => ''],
      ['no URL', () => 'https://'],
      ['blob:', () => 'blob:https://api.example/1'],
      ['data:', () => 'data:text/plain,x'],
      ['file:', () => 'file:///etc/passwd'],
      ['javascript:', () => 'javascript:alert(1)'],
      ['ftp:', () => 'ftp://api.example/'],
      ['what is no URL at all', () => odd({ href: 'https://api.example/' })],
      [
        'what is another URL each time it is read',
        () => {
          const urls = ['https://evil.example/', 'https://api.example/']
          return odd({ toString: () => urls.shift() })
        },
      ],
    ]
    for (const [what, input] of refused)
      it(`P16: ${what} is refused before a token is asked for`, async () => {
        const tokens = createTokens()
        const error = await failure(apiFetch(tokens, input(api.origin)))
        expect(error)
          .to.be.instanceOf(PkceFlowError)
          .and.to.include({ code: 'origin_not_allowed', status: 500 })
        expect(tokens.asked).to.be.empty
        expect([...api.requests, ...other.requests]).to.be.empty
      })

    it('P16: http: is refused beyond loopback even if its origin is listed', async () => {
      const careless = createApiFetch(new Set(['http://api.example', 'null']))
      for (const url of ['http://api.example/', 'data:,x'])
        expect(await failure(careless(createTokens(), url))).to.include({
          code: 'origin_not_allowed',
        })
    })

    it('the error names origin and option, and nothing else of the URL', async () => {
      const url = 'https://other.example/path?secret=abc'
      const error = (await failure(apiFetch(createTokens(), url))) as PkceFlowError
      expect(error.message)
        .to.include('https://other.example')
        .and.to.include('"apiOrigins"')
        .and.not.to.include('path')
        .and.not.to.include('abc')
      const withUser = 'https://alice:password@api.example/'
      const shown = inspect(await failure(apiFetch(createTokens(), withUser)), { depth: Infinity })
      expect(shown)
        .to.include('https://api.example')
        .and.not.to.match(/alice|password@/)
    })

    it('what was checked is what is sent', async () => {
      const urls = [`${api.origin}/checked`, `${other.origin}/sent`]
      await apiFetch(createTokens(), odd({ toString: () => urls.shift() }))
      expect(api.requests[0]).to.include({ path: '/checked' })
      expect(other.requests).to.be.empty
    })

    const redirects = [301, 302, 303, 307, 308]
    for (const status of redirects)
      it(`P16: a ${status} to another origin is followed without the token`, async () => {
        const to = encodeURIComponent(`${other.origin}/landed`)
        const headers = { authorization: 'Bearer of-the-caller' }
        await apiFetch(createTokens(), `${api.origin}/redirect/${status}?to=${to}`, { headers })
        expect(api.authorizations).to.deep.equal(['Bearer current'])
        expect(other.authorizations).to.deep.equal([undefined])
      })

    it('P16: nor does the token come back when that one redirects back', async () => {
      const back = encodeURIComponent(`${api.origin}/back`)
      const to = encodeURIComponent(`${other.origin}/redirect/307?to=${back}`)
      await apiFetch(createTokens(), `${api.origin}/redirect/307?to=${to}`)
      expect(api.authorizations).to.deep.equal(['Bearer current', undefined])
      expect(other.authorizations).to.deep.equal([undefined])
    })

    for (const status of redirects)
      it(`a ${status} within the origin keeps the token`, async () => {
        await apiFetch(createTokens(), `${api.origin}/redirect/${status}?to=/landed`)
        expect(api.authorizations).to.deep.equal(['Bearer current', 'Bearer current'])
      })

    it('P16: another origin’s opinion of the token, which it never saw, counts for nothing', async () => {
      const evil = await startApi((_request, response) => {
        response.writeHead(401, invalidToken).end()
      })
      try {
        const tokens = createTokens('current', 'new')
        const to = encodeURIComponent(evil.origin)
        const response = await apiFetch(tokens, `${api.origin}/redirect/302?to=${to}`)
        expect(response.status).to.equal(401)
        expect(tokens.asked).to.deep.equal(['current'])
      } finally {
        await evil.close()
      }
    })
  })

  describe('what is sent', () => {
    it('the token in the header Authorization (RFC 6750 section 2.1), and nowhere else', async () => {
      await apiFetch(createTokens(), `${api.origin}/a?b=c`)
      expect(api.requests[0]).to.include({ method: 'GET', path: '/a?b=c', body: '' })
      expect(api.authorizations).to.deep.equal(['Bearer current'])
    })

    const callers: [what: string, init: RequestInit | undefined, inRequest: boolean][] = [
      ['an object', { headers: { authorization: 'Bearer mine', 'x-own': '1' } }, false],
      [
        'pairs',
        {
          headers: [
            ['AUTHORIZATION', 'mine'],
            ['x-own', '1'],
          ],
        },
        false,
      ],
      ['Headers', { headers: new Headers({ Authorization: 'mine', 'x-own': '1' }) }, false],
      ['a Request', undefined, true],
      ['a Request, and an object over it', { headers: { authorization: 'x', 'x-own': '1' } }, true],
    ]
    for (const [what, init, inRequest] of callers)
      it(`in place of the caller’s own: ${what}`, async () => {
        const headers = { authorization: 'Basic mine', 'x-own': '1' }
        const input = inRequest ? new Request(api.origin, { headers }) : api.origin
        await apiFetch(createTokens(), input, init)
        expect(api.authorizations).to.deep.equal(['Bearer current'])
        expect(api.requests[0]!.headers).to.include({ 'x-own': '1' })
      })

    it('leaves what the caller gave as it was', async () => {
      const headers = new Headers({ 'x-own': '1' })
      const init = { method: 'PUT', headers, body: 'x' }
      await apiFetch(createTokens('old', 'new'), api.origin, init)
      expect([...headers.keys()]).to.deep.equal(['x-own'])
      expect(Object.keys(init)).to.deep.equal(['method', 'headers', 'body'])
    })

    const bodies: [what: string, init: () => RequestInit & { duplex?: 'half' }, type?: RegExp][] = [
      ['a string', () => ({ body: 'text' }), /^text\/plain/],
      ['parameters', () => ({ body: new URLSearchParams({ a: 'text' }) }), /urlencoded/],
      ['a form', () => ({ body: form() }), /^multipart\/form-data; boundary=/],
      ['a blob', () => ({ body: new Blob(['text'], { type: 'text/x' }) }), /^text\/x$/],
      ['an array buffer', () => ({ body: new TextEncoder().encode('text').buffer })],
      ['bytes', () => ({ body: new TextEncoder().encode('text') })],
      ['a Buffer', () => ({ body: Buffer.from('text') })],
      ['a stream', () => ({ body: new Blob(['text']).stream(), duplex: 'half' })],
    ]
    for (const [what, init, type] of bodies)
      it(`a body that is ${what}`, async () => {
        await apiFetch(createTokens(), api.origin, { ...init(), method: 'POST' })
        expect(api.requests[0]!.method).to.equal('POST')
        expect(api.requests[0]!.body).to.include('text')
        if (type) expect(api.requests[0]!.headers['content-type']).to.match(type)
      })

    it('a Request with its method, headers and body', async () => {
      const headers = { 'content-type': 'text/x', 'x-own': '1' }
      const request = new Request(`${api.origin}/r`, { method: 'PATCH', headers, body: 'text' })
      await apiFetch(createTokens(), request)
      expect(api.requests[0]).to.include({ method: 'PATCH', path: '/r', body: 'text' })
      expect(api.requests[0]!.headers).to.include({ ...headers, 'content-length': '4' })
      expect(request.bodyUsed).to.equal(true)
    })

    it('init over a Request', async () => {
      const request = new Request(`${api.origin}/r`, { method: 'PATCH', body: 'text' })
      await apiFetch(createTokens(), request, { method: 'PUT', body: 'other' })
      expect(api.requests[0]).to.include({ method: 'PUT', path: '/r', body: 'other' })
    })

    it('a Request as init', async () => {
      const init = new Request(other.origin, { method: 'PUT', body: 'text' })
      await apiFetch(createTokens(), `${api.origin}/r`, init)
      expect(api.requests[0]).to.include({ method: 'PUT', path: '/r', body: 'text' })
      expect(other.requests).to.be.empty
    })

    it('redirect: manual is the caller’s', async () => {
      const url = `${api.origin}/redirect/302?to=/landed`
      const response = await apiFetch(createTokens(), url, { redirect: 'manual' })
      expect(response.status).to.equal(302)
      expect(api.requests).to.have.length(1)
    })

    it('by the global fetch of the moment, which an app may replace', async () => {
      const usual = globalThis.fetch
      const seen: unknown[] = []
      globalThis.fetch = (input, init) => {
        seen.push((input as URL).href, new Headers(init?.headers).get('authorization'))
        return Promise.resolve(new Response('stub'))
      }
      try {
        const response = await apiFetch(createTokens(), 'https://api.example/x')
        expect(await response.text()).to.equal('stub')
        expect(seen).to.deep.equal(['https://api.example/x', 'Bearer current'])
      } finally {
        globalThis.fetch = usual
      }
    })

    it('what fetch rejects with is what the caller gets', async () => {
      await api.close()
      const error = await failure(apiFetch(createTokens(), api.origin))
      expect(error).to.be.instanceOf(TypeError)
      expect(inspect(error, { depth: Infinity, showHidden: true })).not.to.include('current')
      api = await startApi(answer)
    })
  })

  describe('P10: without a token nothing is sent', () => {
    it('and the caller gets the reason', async () => {
      const reason = new PkceFlowError('server_unavailable', 'Later.', { retryAfter: 1 })
      const tokens = { ...createTokens(), current: () => Promise.reject(reason) }
      expect(await failure(apiFetch(tokens, api.origin))).to.equal(reason)
      expect(api.requests).to.be.empty
    })
  })

  describe('a 401 that says that the token is invalid (RFC 6750 section 3.1)', () => {
    const repeatable: [what: string, init: () => RequestInit][] = [
      ['no body', () => ({})],
      ['a null body', () => ({ body: null })],
      ['HEAD, whose 401 has no body either', () => ({ method: 'HEAD' })],
      ['a string', () => ({ method: 'POST', body: 'text' })],
      ['an empty string', () => ({ method: 'POST', body: '' })],
      ['parameters', () => ({ method: 'POST', body: new URLSearchParams({ a: 'text' }) })],
      ['a form', () => ({ method: 'POST', body: form() })],
      ['a blob', () => ({ method: 'POST', body: new Blob(['text']) })],
      ['an array buffer', () => ({ method: 'POST', body: new ArrayBuffer(4) })],
      ['bytes', () => ({ method: 'POST', body: Buffer.from('text') })],
      ['numbers', () => ({ method: 'POST', body: new Float64Array(2) })],
    ]
    for (const [what, init] of repeatable)
      it(`${what}: is sent again, once, with the newer token`, async () => {
        const tokens = createTokens('old', 'new')
        const response = await apiFetch(tokens, `${api.origin}/a`, init())
        expect(response.status).to.equal(200)
        expect(tokens.asked).to.deep.equal(['current', 'replacement of old'])
        expect(api.authorizations).to.deep.equal(['Bearer old', 'Bearer new'])
        const [first, second] = api.requests
        expect(second).to.include({ method: first!.method, path: '/a' })
        expect(second!.body.length).to.equal(first!.body.length)
      })

    it('a Request without a body is sent again', async () => {
      const request = new Request(`${api.origin}/a`, {
        method: 'DELETE',
        headers: { 'x-own': '1' },
      })
      const response = await apiFetch(createTokens('old', 'new'), request)
      expect(response.status).to.equal(200)
      expect(api.requests[1]).to.deep.include({ method: 'DELETE', path: '/a' })
      expect(api.requests[1]!.headers).to.include({ 'x-own': '1' })
    })

    it('a Request with a body is sent again if init has another', async () => {
      const request = new Request(api.origin, { method: 'POST', body: 'x' })
      await apiFetch(createTokens('old', 'new'), request, { body: 'text' })
      expect(api.requests.map(({ body }) => body)).to.deep.equal(['text', 'text'])
    })

    const unrepeatable: [what: string, call: () => [string | Request, RequestInit?]][] = [
      ['a stream', () => [api.origin, streamed(new Blob(['text']).stream())]],
      ['an async iterable', () => [api.origin, streamed(chunks() as never)]],
      ['a Request with a body', () => [new Request(api.origin, { method: 'POST', body: 'text' })]],
      [
        'a Request with a body, and init without one',
        () => [new Request(api.origin, { method: 'POST', body: 'text' }), { body: null }],
      ],
    ]
    for (const [what, call] of unrepeatable)
      it(`${what}: the 401 is returned, and the next call has the newer token`, async () => {
        const tokens = createTokens('old', 'new')
        const response = await apiFetch(tokens, ...call())
        expect(response.status).to.equal(401)
        expect(await response.text()).to.equal('the token has expired')
        expect(api.requests).to.have.length(1)
        expect(api.requests[0]!.body).to.equal('text')
        expect(tokens.asked).to.deep.equal(['current', 'replacement of old'])
      })

    it('without a newer token the 401 is returned as it is', async () => {
      const response = await apiFetch(createTokens('old'), api.origin)
      expect(response.status).to.equal(401)
      expect(await response.text()).to.equal('the token has expired')
      expect(api.requests).to.have.length(1)
    })

    it('of the newer token is returned as it is: no loop', async () => {
      const tokens = createTokens('old', 'old')
      expect((await apiFetch(tokens, api.origin)).status).to.equal(401)
      expect(tokens.asked).to.deep.equal(['current', 'replacement of old'])
      expect(api.requests).to.have.length(2)
    })

    it('the body of the first one is cancelled: its connection is free', async () => {
      const usual = globalThis.fetch
      const responses: Response[] = []
      globalThis.fetch = async (...call) => {
        const response = await usual(...call)
        responses.push(response)
        return response
      }
      try {
        await apiFetch(createTokens('old', 'new'), api.origin)
        expect(responses.map(({ bodyUsed }) => bodyUsed)).to.deep.equal([true, false])
      } finally {
        globalThis.fetch = usual
      }
    })

    it('the reason why there is no newer token is the caller’s', async () => {
      const reason = new PkceFlowError('lock_unavailable', 'Later.')
      const tokens = { ...createTokens('old'), replacement: () => Promise.reject(reason) }
      expect(await failure(apiFetch(tokens, api.origin))).to.equal(reason)
      expect(api.requests).to.have.length(1)
    })

    const otherAnswers: [status: number, challenge: string | undefined][] = [
      [401, undefined],
      [401, 'Bearer'],
      [401, 'Basic realm="invalid_token"'],
      [401, 'Bearer error="insufficient_scope"'],
      [403, 'Bearer error="invalid_token"'],
      [400, 'Bearer error="invalid_token"'],
    ]
    for (const [status, challenge] of otherAnswers)
      it(`is none: ${status} with ${challenge ?? 'no challenge'}`, async () => {
        const strict = await startApi((_request, response) => {
          const headers = challenge === undefined ? {} : { 'www-authenticate': challenge }
          response.writeHead(status, headers).end('no')
        })
        try {
          const tokens = createTokens('current', 'new')
          const call = createApiFetch(new Set([strict.origin]))
          expect((await call(tokens, strict.origin)).status).to.equal(status)
          expect(tokens.asked).to.deep.equal(['current'])
        } finally {
          await strict.close()
        }
      })

    it('among several challenges is one', async () => {
      const several = await startApi(({ headers }, response) => {
        const challenges = ['Basic realm="x"', 'Bearer error="invalid_token"']
        if (headers.authorization === 'Bearer new') response.end()
        else response.writeHead(401, { 'www-authenticate': challenges }).end()
      })
      try {
        const call = createApiFetch(new Set([several.origin]))
        expect((await call(createTokens('old', 'new'), several.origin)).status).to.equal(200)
      } finally {
        await several.close()
      }
    })
  })

  describe('signal', () => {
    const reason = new Error('the app has lost interest')

    for (const where of ['init', 'Request'])
      it(`aborted before: no token is asked for (in ${where})`, async () => {
        const tokens = createTokens()
        const signal = AbortSignal.abort(reason)
        const call =
          where === 'init'
            ? apiFetch(tokens, api.origin, { signal })
            : apiFetch(tokens, new Request(api.origin, { signal }))
        expect(await failure(call)).to.equal(reason)
        expect(tokens.asked).to.be.empty
      })

    for (const member of ['current', 'replacement'] as const)
      it(`aborted while ${member}() is awaited: rejects at once, P11: the token request goes on`, async () => {
        const gate = createGate()
        let finished = false
        const tokens: TokenSource = {
          ...createTokens('old', 'new'),
          async [member]() {
            await gate.pass()
            finished = true
            return 'new'
          },
        }
        const controller = new AbortController()
        const call = apiFetch(tokens, api.origin, { signal: controller.signal })
        await gate.reached
        controller.abort(reason)
        expect(await failure(call)).to.equal(reason)
        expect(finished).to.equal(false)
        gate.open()
        await new Promise(setImmediate)
        expect(finished).to.equal(true)
        expect(api.requests).to.have.length(member === 'current' ? 0 : 1)
      })

    for (const member of ['current', 'replacement'] as const)
      it(`aborted by the time that ${member}() is awaited: rejects at once`, async () => {
        const controller = new AbortController()
        const tokens: TokenSource = {
          ...createTokens('old', 'new'),
          [member]() {
            controller.abort(reason)
            return new Promise(() => undefined)
          },
        }
        const call = apiFetch(tokens, api.origin, { signal: controller.signal })
        expect(await failure(call)).to.equal(reason)
      })

    it('aborted while current() is awaited, which fails later: no unhandled rejection', async () => {
      const gate = createGate()
      const tokens: TokenSource = {
        ...createTokens(),
        current: () => gate.pass().then(() => Promise.reject(new Error('too late'))),
      }
      const controller = new AbortController()
      const call = apiFetch(tokens, api.origin, { signal: controller.signal })
      await gate.reached
      controller.abort(reason)
      expect(await failure(call)).to.equal(reason)
      gate.open()
      await new Promise(setImmediate)
    })

    it('aborted while the API is awaited', async () => {
      const controller = new AbortController()
      const silent = await startApi(() => controller.abort(reason))
      try {
        const call = createApiFetch(new Set([silent.origin]))
        const { signal } = controller
        expect(await failure(call(createTokens(), silent.origin, { signal }))).to.equal(reason)
      } finally {
        await silent.close()
      }
    })

    it('null takes that of the Request away', async () => {
      const request = new Request(api.origin, { signal: AbortSignal.abort(reason) })
      expect((await apiFetch(createTokens(), request, { signal: null })).status).to.equal(200)
    })

    it('leaves no listener behind', async () => {
      const { signal } = new AbortController()
      const usual = globalThis.fetch
      globalThis.fetch = () => Promise.resolve(new Response())
      try {
        await apiFetch(createTokens(), api.origin, { signal })
        expect(getEventListeners(signal, 'abort')).to.be.empty
      } finally {
        globalThis.fetch = usual
      }
    })
  })
})

/** What JavaScript lets through. */
function odd(value: unknown): URL {
  return value as URL
}

function form(): FormData {
  const data = new FormData()
  data.set('a', 'text')
  return data
}

async function* chunks() {
  yield Buffer.from('te')
  await Promise.resolve()
  yield Buffer.from('xt')
}

function streamed(body: RequestInit['body']): RequestInit & { duplex: 'half' } {
  return { method: 'POST', body: body ?? null, duplex: 'half' }
}
