import { expectTypeOf } from 'expect-type'
import express, { type Request, type RequestHandler, type Router } from 'express'
import {
  type Claims,
  type Finding,
  type FindingCode,
  type LoginStatus,
  type PkceFlow,
  pkceFlow,
  type RequireLoginOptions,
  type Token,
} from '../../src/index.ts'

const options = {
  issuer: 'https://server.example',
  clientId: 'client',
  redirectUri: 'https://app.example/callback',
}
const flow = pkceFlow(options)
const gitlab = pkceFlow({ ...options, requestProperty: 'gitlab' })
const app = express()

// A flow is a router, and a handler of Express 5 wherever one is taken.
expectTypeOf(flow).toEqualTypeOf<PkceFlow>()
expectTypeOf(flow).toExtend<Router>()
expectTypeOf(flow).toExtend<RequestHandler>()
expectTypeOf(gitlab).toEqualTypeOf<PkceFlow<'gitlab'>>()
app.use(flow)
app.use('/auth', flow, gitlab)
express.Router().use(flow)

// Guards and handlers are handlers.
expectTypeOf(flow.requireToken()).toEqualTypeOf<RequestHandler>()
expectTypeOf(flow.requireLogin()).toEqualTypeOf<RequestHandler>()
expectTypeOf(flow.login()).toEqualTypeOf<RequestHandler>()
expectTypeOf(flow.logout()).toEqualTypeOf<RequestHandler>()
app.get('/', flow.requireToken(), flow.requireLogin({ unauthenticated: 'next' }))
app.get('/in', flow.login({ returnTo: '/', authorizationParams: { prompt: 'login' } }))
app.post('/out', flow.logout({ returnTo: '/', atServer: false }))
// @ts-expect-error -- it is true or false
flow.logout({ atServer: 'no' })

// A guard with a handler: the token is there, by the name that the flow has for it.
app.get(
  '/projects',
  gitlab.requireToken((req, res, next) => {
    expectTypeOf(req.gitlab).toEqualTypeOf<Token>()
    expectTypeOf(req.gitlab.accessToken).toEqualTypeOf<string>()
    // @ts-expect-error -- that is the other flow's
    expectTypeOf(req.github).toBeNever()
    res.json({})
    next()
  }),
)
app.get(
  '/projects/:id',
  flow.requireToken(async (req, res) => {
    expectTypeOf(req.token).toEqualTypeOf<Token>()
    await Promise.resolve(res.json(req.params.id))
  }),
)

// What asks takes the request and gives a promise.
declare const req: Request
expectTypeOf(flow.token(req)).toEqualTypeOf<Promise<Token | undefined>>()
expectTypeOf(flow.claims(req)).toEqualTypeOf<Promise<Claims | undefined>>()
expectTypeOf(flow.status(req)).toEqualTypeOf<Promise<LoginStatus>>()
expectTypeOf(flow.ready()).toEqualTypeOf<Promise<void>>()
// @ts-expect-error -- whose token?
void flow.token()

// Claims beyond the standard's are unknown until they are looked at.
flow.requireLogin({ claims: (claims) => claims.sub === 'alice' && claims.role === 'admin' })
expectTypeOf<Claims['role']>().toEqualTypeOf<unknown>()
expectTypeOf<NonNullable<RequireLoginOptions['claims']>>().returns.toEqualTypeOf<boolean>()
// @ts-expect-error -- a promise is true whatever it brings
flow.requireLogin({ claims: async () => Promise.resolve(false) })
// @ts-expect-error -- no such mode
flow.requireToken({ unauthenticated: 'json' })
// @ts-expect-error -- a misspelt option
flow.requireLogin({ unauthenticatd: 'next' })
// @ts-expect-error -- a misspelt option
flow.login({ returnto: '/' })

// Never the refresh token, and nothing to write to.
declare const token: Token
// @ts-expect-error -- it stays on the server
expectTypeOf(token.refreshToken).toBeString()
// @ts-expect-error -- readonly
token.accessToken = 'other'
expectTypeOf(token.scope).toEqualTypeOf<readonly string[]>()
expectTypeOf(token.expiresAt).toEqualTypeOf<Date | undefined>()

// What is wrong comes as data; a request is not needed.
expectTypeOf(flow.diagnose()).toEqualTypeOf<Promise<Finding[]>>()
expectTypeOf(flow.diagnose(req)).toEqualTypeOf<Promise<Finding[]>>()
expectTypeOf<Finding['code']>().toEqualTypeOf<FindingCode>()
// @ts-expect-error -- the path is no request
void flow.diagnose('/doctor')
