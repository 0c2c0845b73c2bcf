import { expectTypeOf } from 'expect-type'
import { pkceFlow, type PkceFlowOptions } from '../../src/index.ts'
import {
  github,
  gitlab,
  keycloak,
  microsoft,
  okta,
  slack,
  type Preset,
} from '../../src/presets/index.ts'

const client = { clientId: 'client', redirectUri: 'https://app.example/callback' }
const endpoints = {
  authorization_endpoint: 'https://server.example/authorize',
  token_endpoint: 'https://server.example/token',
}

// A preset, with a secret and without, changed, merged.
pkceFlow({ ...client, server: gitlab() })
pkceFlow({ ...client, clientSecret: 'secret', server: gitlab({ host: 'gitlab.example.com' }) })
pkceFlow({ ...client, server: { ...github(), token_endpoint: 'https://proxy.example/token' } })
pkceFlow({ ...client, server: slack(), apiOrigins: ['https://api.example.com'] })
expectTypeOf(gitlab()).toEqualTypeOf<Preset>()
expectTypeOf<{ server: Preset }>().toExtend<Pick<PkceFlowOptions, 'server'>>()

// One of the app's own.
pkceFlow({ ...client, server: { preset: 'mine', ...endpoints, dialect: { scopeSeparator: ',' } } })

// @ts-expect-error -- an issuer has no place beside a preset
pkceFlow({ ...client, server: gitlab(), issuer: 'https://gitlab.com' })
// @ts-expect-error -- members of a preset in metadata by hand
pkceFlow({ ...client, server: { ...endpoints, dialect: {} } })
// @ts-expect-error -- a misspelt member
pkceFlow({ ...client, server: { preset: 'mine', ...endpoints, apiOrigin: [] } })
// @ts-expect-error -- a misspelt member of the dialect
pkceFlow({ ...client, server: { preset: 'mine', ...endpoints, dialect: { scopeSeperator: ',' } } })
// @ts-expect-error -- no registered error
pkceFlow({ ...client, server: { ...github(), dialect: { refusals: { error: { bad: 'no' } } } } })

// Arguments.
keycloak({ host: 'sso.example.com', realm: 'main' })
keycloak({ baseUrl: 'https://sso.example.com/auth', realm: 'main' })
// @ts-expect-error -- no realm
keycloak({ host: 'sso.example.com' })
// @ts-expect-error -- two places
keycloak({ host: 'sso.example.com', baseUrl: 'https://sso.example.com', realm: 'main' })
// @ts-expect-error -- no tenant
microsoft()
// @ts-expect-error -- a misspelt argument
okta({ domain: 'a.okta.com', authorizationserver: 'default' })
// @ts-expect-error -- takes no arguments
slack({ team: 'T1' })
