import { inspect } from 'node:util'
import { expect } from 'chai'
import express from 'express'
import request from 'supertest'
import {
  ConfigurationError,
  PkceFlowError,
  type PkceFlowErrorCode,
  StateForgeryError,
} from '../src/index.ts'
import { logIn } from './protocol/attempt.ts'
import { startApp } from './support/app.ts'
import { createBrowser } from './support/browser.ts'

/** The closed list: see docs/errors.md. */
const statusByCode: Record<PkceFlowErrorCode, number> = {
  invalid_callback: 400,
  login_not_found: 400,
  login_interrupted: 400,
  code_rejected: 400,
  issuer_mismatch: 400,
  login_required: 401,
  reauthorization_required: 401,
  insufficient_user_authentication: 401,
  not_signed_in: 401,
  not_connected: 401,
  access_denied: 403,
  insufficient_scope: 403,
  cross_site_request: 403,
  user_changed: 409,
  authorization_failed: 502,
  invalid_server_response: 502,
  id_token_invalid: 502,
  server_unavailable: 503,
  server_timeout: 504,
  store_unavailable: 503,
  lock_unavailable: 503,
  client_rejected: 500,
  session_missing: 500,
  insecure_cookie: 500,
  user_id_invalid: 500,
  callback_misplaced: 500,
  configuration: 500,
  origin_not_allowed: 500,
}

const codes = Object.keys(statusByCode) as PkceFlowErrorCode[]

const secret = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl'

/** Everything that a logger could print. */
const shown = (error: unknown) =>
  inspect(error, { depth: Infinity, showHidden: true, getters: true, maxStringLength: null })

describe('PkceFlowError', () => {
  for (const code of codes)
    it(`${code} is ${statusByCode[code]}`, () => {
      const error = new PkceFlowError(code, 'What happened.')
      expect(error).to.be.instanceOf(Error)
      expect(error).to.include({
        name: 'PkceFlowError',
        message: 'What happened.',
        code,
        status: statusByCode[code],
        expose: statusByCode[code] < 500,
      })
    })

  it('has only the members that say something', () => {
    const error = new PkceFlowError('login_required', 'Log in.')
    expect(error).not.to.have.any.keys('flow', 'loginUrl', 'retryAfter', 'oauthError', 'cause')
    expect(error.headers).to.deep.equal({})
    const details = { flow: 'gitlab', loginUrl: '/login', oauthError: 'access_denied' }
    expect(new PkceFlowError('access_denied', 'No.', details)).to.include(details)
  })

  it('retryAfter is a header, too', () => {
    const error = new PkceFlowError('server_unavailable', 'Later.', { retryAfter: 7 })
    expect(error.retryAfter).to.equal(7)
    expect(error.headers).to.deep.equal({ 'Retry-After': '7' })
  })

  it('has two subclasses, for people who catch by type', () => {
    expect(new ConfigurationError('Wrong.')).to.be.instanceOf(PkceFlowError).and.to.include({
      name: 'ConfigurationError',
      code: 'configuration',
    })
    expect(new StateForgeryError()).to.be.instanceOf(PkceFlowError).and.to.include({
      name: 'StateForgeryError',
      code: 'login_not_found',
    })
  })

  it('stack says where it was thrown, once', () => {
    const { stack } = new PkceFlowError('configuration', 'Wrong.')
    expect(stack)
      .to.match(/^PkceFlowError: Wrong\.\n/)
      .and.to.include('errors.test.ts')
  })
})

describe('cause', () => {
  const causeOf = (cause: unknown) =>
    new PkceFlowError('store_unavailable', 'The store failed.', { cause }).cause as
      | (Error & Record<string, unknown>)
      | undefined

  it('keeps name, message and what system errors say', () => {
    const system = { code: 'ECONNREFUSED', errno: -111, syscall: 'connect', port: 6379 }
    const cause = Object.assign(new TypeError('connect ECONNREFUSED 127.0.0.1:6379'), system)
    expect(causeOf(cause)).to.include({
      ...system,
      name: 'TypeError',
      message: 'connect ECONNREFUSED 127.0.0.1:6379',
    })
  })

  it('of this package is kept as it is', () => {
    const inner = new PkceFlowError('server_timeout', 'Too late.')
    expect(causeOf(inner)).to.equal(inner)
  })

  it('keeps the causes of the cause, cleaned in the same way', () => {
    const inner = Object.assign(new Error(`token ${secret}`), { code: 'EPIPE', token: secret })
    const outer = causeOf(new Error('outer', { cause: inner }))
    expect(outer!.cause).to.include({ code: 'EPIPE' })
    expect(shown(outer)).not.to.include(secret)
  })

  const hidden: [string, unknown][] = [
    ['a message', new Error(`refused ${secret} twice: ${secret}`)],
    ['a member', Object.assign(new Error('x'), { body: { access_token: secret } })],
    ['a hidden member', Object.defineProperty(new Error('x'), 'request', { value: secret })],
    ['a symbol', Object.assign(new Error('x'), { [Symbol('request')]: secret })],
    ['an aggregate', new AggregateError([new Error(secret)], 'all failed')],
    ['a stack', Object.assign(new Error('x'), { stack: `Error: ${secret}\n at x` })],
    ['a cause that is no error', new Error('x', { cause: { access_token: secret } })],
    ['a code that is an object', Object.assign(new Error('x'), { code: { secret } })],
    ['text', secret],
    ['an object', { secret }],
    ['an array', [secret]],
    ['a function', () => secret],
    ['a long message', new Error(`${'words '.repeat(200)}${secret}`)],
    ['a URL', new Error(`GET https://server.example/cb?code=${secret}&state=x failed`)],
  ]
  for (const [where, cause] of hidden)
    it(`P7: shows no secret that was in ${where}`, () => {
      const error = new PkceFlowError('store_unavailable', 'The store failed.', { cause })
      expect(shown(error)).not.to.include(secret)
      expect(JSON.stringify(error)).not.to.include(secret)
    })

  const odd: [string, unknown][] = [
    ['null', null],
    ['a number', 5],
    ['a symbol', Symbol('x')],
    ['an error without message', Object.assign(new Error('x'), { message: undefined })],
    ['an error with an object as message', Object.assign(new Error('x'), { message: { a: 1 } })],
    ['an error without name', Object.assign(new Error('x'), { name: undefined })],
    ['an error with a number as name', Object.assign(new Error('x'), { name: 5 })],
    ['an object that only looks like an error', Object.create(Error.prototype)],
    ['a frozen error', Object.freeze(new Error('x'))],
    [
      'an error whose members throw',
      Object.defineProperty(new Error('x'), 'code', {
        get() {
          throw new Error('not for you')
        },
      }),
    ],
    ['an error that is its own cause', circular()],
    ['a chain of a hundred causes', chain(100)],
  ]
  for (const [what, cause] of odd)
    it(`may be ${what}`, () => {
      const error = new PkceFlowError('store_unavailable', 'The store failed.', { cause })
      expect(shown(error)).to.include('The store failed.')
      expect(error.cause).to.be.instanceOf(Error)
    })

  it('undefined is none', () => {
    expect(causeOf(undefined)).to.equal(undefined)
  })
})

function circular(): Error {
  const error = new Error('round')
  error.cause = error
  return error
}

function chain(length: number): Error {
  let error = new Error('first')
  for (let at = 1; at < length; at += 1) error = new Error(`number ${at}`, { cause: error })
  return error
}

describe('errors in an app', () => {
  it('Express’s own error handler answers with status and headers, and shows nothing', async () => {
    const usual = console.error
    try {
      for (const code of codes) {
        const logged = new Promise((resolve) => (console.error = resolve))
        const app = express()
        app.set('env', 'production')
        app.get('/', (_req, _res, next) => {
          const cause = new Error(`response ${secret}`)
          next(new PkceFlowError(code, 'A message of ours.', { retryAfter: 3, cause }))
        })
        const answer = await request(app).get('/')
        expect(answer.status).to.equal(statusByCode[code])
        expect(answer.headers).to.include({ 'retry-after': '3' })
        expect(answer.text).not.to.include(secret)
        expect(shown(await logged)).not.to.include(secret)
      }
    } finally {
      console.error = usual
    }
  })

  it('know the flow, and where to start again, with the place to return to', async () => {
    const app = await startApp({ flow: { name: 'gitlab', afterLogin: '/' } })
    try {
      app.server.misbehave('authorization', { authorizationError: 'access_denied' })
      const start = app.url('/login?returnTo=%2Fpublic%3Fx%3D1')
      const page = await createBrowser().open(start)
      expect(page.status).to.equal(403)
      expect(app.errors[0]).to.include({
        code: 'access_denied',
        flow: 'gitlab',
        oauthError: 'access_denied',
      })
      const { loginUrl } = app.errors[0] as PkceFlowError
      expect(loginUrl).to.equal('/login?returnTo=%2Fpublic%3Fx%3D1')
      app.server.behave()
      expect((await createBrowser().open(app.url(loginUrl!))).url).to.equal(app.url('/public?x=1'))
    } finally {
      await app.close()
    }
  })

  it('of an answer that nobody waits for is a StateForgeryError, with where to start', async () => {
    const app = await startApp()
    try {
      const page = await createBrowser().request(app.url('/callback?state=x&code=y'))
      expect(page.status).to.equal(400)
      expect(app.errors[0]).to.be.instanceOf(StateForgeryError)
      expect(app.errors[0]).to.include({ code: 'login_not_found', loginUrl: '/login' })
    } finally {
      await app.close()
    }
  })

  it('have no loginUrl where there is no such route', async () => {
    const app = await startApp({ flow: { routes: { login: false } } })
    try {
      await createBrowser().request(app.url('/callback?state=x&code=y'))
      expect(app.errors[0]).not.to.have.property('loginUrl')
    } finally {
      await app.close()
    }
  })

  it('a handler of the app that fails is not one of ours', async () => {
    const app = await startApp({
      routes: (routes, flow) => {
        routes.get('/', (req, res, next) => {
          flow.status(req).then((status) => res.json({ status }), next)
        })
        routes.get(
          '/broken',
          flow.requireToken(() => {
            throw new RangeError('the app’s own')
          }),
        )
      },
    })
    try {
      const browser = await logIn(app)
      await browser.request(app.url('/broken'))
      expect(app.errors[0]).to.be.instanceOf(RangeError)
    } finally {
      await app.close()
    }
  })
})
