import { expect } from 'chai'
import { ConfigurationError, type PkceFlowOptions } from '../../src/index.ts'
import { resolveOptions } from '../../src/options/settings.ts'
import * as presets from '../../src/presets/index.ts'

const client = { clientId: 'id', redirectUri: 'https://app.example/callback' }
const { atlassian, auth0, discord, dropbox, github, gitlab, google, keycloak, okta } = presets

const settle = (options: object) =>
  resolveOptions({ ...client, ...options } as unknown as PkceFlowOptions)

function refused(make: () => unknown): string {
  try {
    make()
  } catch (error) {
    expect(error).to.be.instanceOf(ConfigurationError)
    return (error as Error).message
  }
  return expect.fail('was accepted')
}

describe('presets in the options', () => {
  const all = [
    ...[atlassian(), discord(), dropbox(), github(), gitlab(), google(), presets.bitbucket()],
    ...[presets.notion(), presets.salesforce(), presets.slack(), presets.spotify()],
    ...[presets.twitch(), presets.x(), presets.zoom(), presets.microsoft({ tenant: 'common' })],
    ...[auth0({ domain: 'a.auth0.com' }), okta({ domain: 'a.okta.com' })],
    keycloak({ host: 'sso.example', realm: 'a' }),
  ]

  it('there is a preset of each function, named as it is', () => {
    expect(all.map(({ preset }) => preset).sort()).to.deep.equal(Object.keys(presets).sort())
  })

  for (const preset of all)
    it(`${preset.preset}: frozen, accepted without a secret and with one`, () => {
      const inner: unknown[] = Object.values<unknown>({ ...preset, ...preset.dialect })
      for (const value of [preset, ...inner]) expect(value).to.be.frozen
      expect(settle({ server: preset }).clientAuth).to.equal('none')
      expect(settle({ server: preset, clientSecret: 's' }).clientAuth).to.equal(
        preset.clientAuth ?? 'client_secret_basic',
      )
    })

  it('is discovered with an issuer, else its metadata say all', () => {
    expect(settle({ server: gitlab() })).to.deep.include({
      issuer: 'https://gitlab.com',
      server: {},
      name: 'gitlab.com',
      scope: ['openid'],
    })
    const { issuer, server, scope } = settle({ server: github() })
    expect(issuer).to.equal(undefined)
    expect(server).to.have.all.keys(
      ...['authorization_endpoint', 'token_endpoint', 'userinfo_endpoint'],
    )
    expect(scope).to.be.empty
    expect(settle({ server: discord() }).server.issuer).to.equal('https://discord.com')
  })

  it("the app's own options are merged over it", () => {
    const settings = settle({
      server: google(),
      authorizationParams: { prompt: 'select_account', hd: 'example.com' },
      apiOrigins: ['https://gmail.googleapis.com'],
    })
    expect(settings.authorizationParams).to.deep.equal({
      access_type: 'offline',
      prompt: 'select_account',
      hd: 'example.com',
    })
    expect([...settings.apiOrigins]).to.deep.equal([
      'https://www.googleapis.com',
      'https://gmail.googleapis.com',
    ])
    const server = { ...github(), token_endpoint: 'https://github.com/other/token' }
    expect(settle({ server }).server.token_endpoint).to.equal('https://github.com/other/token')
    expect(
      settle({ server: github(), clientSecret: 's', clientAuth: 'client_secret_basic' }).clientAuth,
    ).to.equal('client_secret_basic')
  })

  it('scope that brings a refresh token is added once, and can be left out', () => {
    expect(settle({ server: atlassian(), scope: 'read:me offline_access' }).scope).to.deep.equal([
      'read:me',
      'offline_access',
    ])
    const server = { ...atlassian(), scope: [] }
    expect(settle({ server, scope: 'read:me' }).scope).to.deep.equal(['read:me'])
  })

  it('without API origins it is as with other servers', () => {
    const server = gitlab({ host: 'git.example' })
    expect([...settle({ server }).apiOrigins]).to.deep.equal(['https://git.example'])
  })

  for (const [what, options, named] of [
    ['an issuer beside it', { server: github(), issuer: 'https://github.com' }, '"issuer"'],
    ['a misspelt member', { server: { ...github(), apiorigins: [] } }, '"server.apiOrigins"'],
    [
      'a misspelt member of the dialect',
      { server: { ...github(), dialect: { scopeSeperator: ',' } } },
      '"server.dialect.scopeSeparator"',
    ],
    [
      'no object of parameters',
      { server: google(), authorizationParams: 5 },
      'authorizationParams',
    ],
    ['no array of origins', { server: google(), apiOrigins: 'https://a.example' }, '"apiOrigins"'],
    ['a parameter of ours', { server: google(), authorizationParams: { state: 'x' } }, 'state'],
    [
      'an endpoint at http:',
      { server: { ...github(), token_endpoint: 'http://a.b' } },
      'token_end',
    ],
    ['openid without keys', { server: github(), scope: 'openid' }, '"server"'],
  ] as const)
    it(`P15: ${what} is refused`, () => {
      expect(refused(() => settle(options))).to.include(named)
    })
})

const own = {
  preset: 'own',
  authorization_endpoint: 'https://own.example/authorize',
  token_endpoint: 'https://own.example/token',
  userinfo_endpoint: 'https://own.example/me',
}

describe("a preset of the app's own", () => {
  it('is accepted with everything that there is', () => {
    const dialect: presets.Dialect = {
      scopeSeparator: ',',
      grantedScope: { member: 'scopes', form: 'array' },
      jsonRequests: true,
      formResponses: true,
      tokenTypes: ['user'],
      refusals: { error: { expired: 'invalid_grant' }, message: { 'Bad code*': 'invalid_grant' } },
      profile: { id: 'data.id', method: 'POST', headers: { 'api-version': '1' } },
    }
    const server: presets.Preset = {
      ...own,
      clientAuth: 'client_secret_post',
      authorizationParams: { audience: 'api' },
      scope: ['offline'],
      apiOrigins: ['https://api.own.example'],
      dialect,
      without: ['pkce', 'refresh', 'revocation'],
    }
    const settings = settle({ server, scope: 'read' })
    expect(settings.dialect).to.deep.equal(dialect)
    expect(settings.scope).to.deep.equal(['read', 'offline'])
    expect([...settings.apiOrigins]).to.deep.equal(['https://api.own.example'])
  })

  it('what is undefined is left out', () => {
    const members = ['clientAuth', 'authorizationParams', 'scope', 'apiOrigins', 'without']
    const nothing = Object.fromEntries([...members, 'dialect'].map((name) => [name, undefined]))
    const settings = settle({ server: { ...own, ...nothing } })
    expect(settings).to.deep.include({ scope: [], dialect: {}, authorizationParams: {} })
    expect([...settings.apiOrigins]).to.deep.equal(['https://own.example'])
  })

  it('is copied: changed later it changes nothing', () => {
    const refusals: Record<string, presets.TokenError> = { gone: 'invalid_grant' }
    const { dialect } = settle({ server: { ...own, dialect: { refusals: { error: refusals } } } })
    refusals.gone = 'invalid_client'
    expect(dialect.refusals).to.deep.equal({ error: { gone: 'invalid_grant' } })
  })

  const wrong: [member: string, value: unknown, named?: string][] = [
    ['preset', ''],
    ['preset', 5],
    ['preset', undefined],
    ['clientAuth', 'none'],
    ['clientAuth', 'client_secret_jwt'],
    ['authorizationParams', 'a=b'],
    ['authorizationParams', { audience: 5 }, 'authorizationParams.audience'],
    ['authorizationParams', { state: 'x' }, 'authorizationParams.state'],
    ['scope', 'offline'],
    ['scope', ['two words']],
    ['apiOrigins', 'https://api.example'],
    ['apiOrigins', ['https://api.example/path']],
    ['apiOrigins', ['http://api.example']],
    ['without', ['pkec']],
    ['without', 'pkce'],
    ['issuer', 5],
    ['dialect', null],
    ['dialect', []],
    ['dialect.scopeSeparator', ';'],
    ['dialect.grantedScope', 'scopes'],
    ['dialect.grantedScope', { from: 'comma' }, 'dialect.grantedScope.form'],
    ['dialect.grantedScope', { member: 5 }, 'dialect.grantedScope.member'],
    ['dialect.grantedScope', { form: 'comma' }, 'dialect.grantedScope.form'],
    ['dialect.jsonRequests', 'yes'],
    ['dialect.formResponses', false],
    ['dialect.tokenTypes', 'user'],
    ['dialect.tokenTypes', ['User']],
    ['dialect.refusals', ['invalid_grant']],
    ['dialect.refusals', { error: 'invalid_grant' }, 'dialect.refusals.error'],
    ['dialect.refusals', { error: { gone: 'invalid_grnat' } }, 'dialect.refusals.error'],
    ['dialect.refusals', { error: { '*': 'invalid_grant' } }, 'dialect.refusals.error'],
    ['dialect.refusals', { error: { '': 'invalid_grant' } }, 'dialect.refusals.error'],
    ['dialect.profile', 'id'],
    ['dialect.profile', { Id: 'id' }, 'dialect.profile.id'],
    ['dialect.profile', { id: '' }, 'dialect.profile.id'],
    ['dialect.profile', { id: 'data..id' }, 'dialect.profile.id'],
    ['dialect.profile', { id: 'id', method: 'PUT' }, 'dialect.profile.method'],
    ['dialect.profile', { id: 'id', headers: 'a: b' }, 'dialect.profile.headers'],
    ['dialect.profile', { id: 'id', headers: { 'a b': 'c' } }, 'dialect.profile.headers'],
    ['dialect.profile', { id: 'id', headers: { a: 5 } }, 'dialect.profile.headers'],
    ['dialect.profile', { id: 'id', headers: { a: 'b\nc' } }, 'dialect.profile.headers'],
    ['dialect.profile', { id: 'id', headers: { Authorization: 'x' } }, 'dialect.profile.headers'],
  ]
  for (const [member, value, named = member] of wrong)
    it(`P15: ${member} of ${JSON.stringify(value)} is refused`, () => {
      const [first = '', second] = member.split('.')
      const server = { ...own, [first]: second === undefined ? value : { [second]: value } }
      const message = refused(() => settle({ server }))
      expect(message).to.include(first === 'issuer' ? 'issuer"' : `"server.${named}"`)
    })

  it('P15: without an issuer and endpoints nobody knows where it is', () => {
    expect(refused(() => settle({ server: { preset: 'own' } }))).to.include(
      'authorization_endpoint',
    )
  })

  it('P15: a profile without its endpoint is refused', () => {
    const server = { ...own, userinfo_endpoint: undefined, dialect: { profile: { id: 'id' } } }
    expect(refused(() => settle({ server }))).to.include('"server.userinfo_endpoint"')
  })
})

describe('a preset that is changed', () => {
  const token_endpoint = 'https://other.example/token'
  const whole = { token_endpoint, userinfo_endpoint: 'https://other.example/me' }

  for (const [what, server, named] of [
    [
      'GitHub',
      { ...github(), token_endpoint },
      ['token_endpoint', 'userinfo_endpoint', 'apiOrigins'],
    ],
    ['GitHub, its profile moved', { ...github(), ...whole }, ['token_endpoint', 'apiOrigins']],
    [
      'GitHub, its API added to',
      { ...github(), ...whole, apiOrigins: [...github().apiOrigins!, 'https://other.example'] },
      ['token_endpoint', 'apiOrigins'],
    ],
    ['Zoom', { ...presets.zoom(), ...whole, apiOrigins: [] }, ['revocation_endpoint']],
    ['Google', { ...google(), issuer: 'https://other.example' }, ['issuer', 'apiOrigins']],
    [
      'Twitch',
      { ...presets.twitch(), issuer: 'https://other.example', apiOrigins: [] },
      ['issuer', 'revocation_endpoint'],
    ],
  ] as [string, presets.Preset, string[]][])
    it(`P16: ${what}: tokens of another server would be sent to the old places`, () => {
      const message = refused(() => settle({ server }))
      for (const name of named) expect(message).to.include(`"server.${name}"`)
      const left = ['userinfo_endpoint', 'revocation_endpoint', 'apiOrigins']
      for (const name of left.filter((one) => !named.includes(one)))
        expect(message).not.to.include(name)
    })

  it('P16: without the issuer it had it has moved, too', () => {
    const endpoints = { authorization_endpoint: 'https://other.example/authorize', token_endpoint }
    const server = { ...google(), ...endpoints, issuer: undefined }
    expect(refused(() => settle({ server }))).to.include('"server.apiOrigins"')
  })

  it('P16: moved with all that the tokens are sent to it is accepted', () => {
    const server = { ...github(), ...whole, apiOrigins: undefined }
    expect([...settle({ server }).apiOrigins]).to.deep.equal(['https://other.example'])
    const moved = settle({ server: { ...gitlab(), issuer: 'https://git.example' } })
    expect([...moved.apiOrigins]).to.deep.equal(['https://git.example'])
  })

  it("P16: with a name of its own it is the app's, which may mean it", () => {
    const server = { ...github(), preset: 'github-by-proxy', token_endpoint }
    expect(settle({ server }).server.userinfo_endpoint).to.equal('https://api.github.com/user')
  })

  it('other members can be changed as they are', () => {
    const server = { ...github(), authorizationParams: { prompt: 'select_account' } }
    expect(settle({ server }).authorizationParams).to.deep.equal({ prompt: 'select_account' })
  })
})

describe('arguments of presets', () => {
  for (const host of ['gitlab.example.com', 'https://gitlab.example.com', 'gitlab.example.com/'])
    it(`a host can be ${host}`, () => {
      expect(gitlab({ host }).issuer).to.equal('https://gitlab.example.com')
    })

  it('http: on loopback only, ports as they are', () => {
    expect(gitlab({ host: 'http://127.0.0.1:8080' }).issuer).to.equal('http://127.0.0.1:8080')
    expect(gitlab({ host: 'git.example:8443' }).issuer).to.equal('https://git.example:8443')
  })

  for (const host of [
    ...[
      '',
      'http://gitlab.example.com',
      'https://gitlab.example.com/path',
      'a.example/b',
      'a@b.example',
    ],
    ...[
      'ftp://a.example',
      '//a.example',
      'a.example?x',
      'a.example#x',
      'https:\\\\a.example',
      ' a',
    ],
    ...['a\n.example', 'a..example:99999', null, 5, {}],
  ] as never[])
    it(`P15: ${JSON.stringify(host)} is no host`, () => {
      expect(refused(() => gitlab({ host }))).to.include('"gitlab.host"')
      expect(refused(() => okta({ domain: host }))).to.include('"okta.domain"')
    })

  for (const [what, make, named] of [
    ['a misspelt argument', () => gitlab({ hots: 'a' } as never), '"gitlab.host"'],
    ['no object', () => gitlab('gitlab.com' as never), 'gitlab()'],
    ['no domain', () => auth0({} as never), '"auth0.domain"'],
    ['a tenant that is a domain', () => presets.microsoft({ tenant: 'a.com' }), 'microsoft.tenant'],
    ['no tenant', () => presets.microsoft({} as never), '"microsoft.tenant"'],
    ['no realm', () => keycloak({ host: 'a.example' } as never), '"keycloak.realm"'],
    ['a realm that climbs', () => keycloak({ host: 'a.example', realm: '..' }), '"keycloak.realm"'],
    ['a realm with a slash', () => keycloak({ host: 'a.example', realm: 'a/b' }), 'keycloak.realm'],
    ['no place', () => keycloak({ realm: 'a' } as never), '"keycloak.host"'],
    [
      'two places',
      () => keycloak({ host: 'a.b', baseUrl: 'https://a.b', realm: 'a' } as never),
      '"keycloak.baseUrl"',
    ],
    [
      'a base URL with a query',
      () => keycloak({ baseUrl: 'https://a.b/?c', realm: 'a' }),
      'baseUrl',
    ],
    [
      'an authorization server that is a path',
      () => okta({ domain: 'a.okta.com', authorizationServer: 'a/b' }),
      'okta.authorizationServer',
    ],
  ] as const)
    it(`P15: ${what} is refused`, () => {
      expect(refused(make)).to.include(named)
    })

  it('GitHub Enterprise Server and ghe.com have APIs of their own', () => {
    expect(github({ host: 'git.example' }).userinfo_endpoint).to.equal(
      'https://git.example/api/v3/user',
    )
    expect(github({ host: 'octo.ghe.com' }).userinfo_endpoint).to.equal(
      'https://api.octo.ghe.com/user',
    )
  })
})
