import { join } from 'node:path'
import { expect } from 'chai'
import ts from 'typescript'
import { type Consumer, createConsumer, installed, manifest } from './support/consumer.ts'

/**
 * All that can be imported, values and types, by entry point. What is added here is promised to stay.
 */
const documented: Record<string, { values: string[]; types: string[] }> = {
  '.': {
    values: [
      ...['ConfigurationError', 'PkceFlowError', 'PkceFlowManager', 'StateForgeryError'],
      'pkceFlow',
    ],
    types: [
      ...['AuthorizationUrlOverrides', 'Claims', 'CommonOptions', 'ConnectionStatus', 'Dialect'],
      ...['Finding', 'FindingCode'],
      ...['Lease', 'Lock', 'LoginEvent', 'LoginOptions', 'LoginStatus', 'LogoutOptions'],
      ...['ManagerAttributes', 'PkceFlow', 'PkceFlowErrorCode', 'PkceFlowErrorDetails'],
      ...['PkceFlowOptions', 'Preset', 'ProfileDialect', 'RequireLoginOptions'],
      ...['RequireTokenOptions', 'Routes', 'ServerMetadata', 'ServerRootUrl', 'SessionStore'],
      ...['Token', 'TokenError', 'TokenHandler', 'TokenResponse', 'TokenStore'],
      ...['Unauthenticated', 'UserAuthorizationResponse', 'UserInfo', 'UserSecrets'],
      'UserTokenAccess',
    ],
  },
  './req-token': { values: [], types: [] },
  './presets': {
    values: [
      ...['atlassian', 'auth0', 'bitbucket', 'discord', 'dropbox', 'github', 'gitlab', 'google'],
      ...['keycloak', 'microsoft', 'notion', 'okta', 'salesforce', 'slack', 'spotify', 'twitch'],
      ...['x', 'zoom'],
    ],
    types: ['Dialect', 'Preset', 'ProfileDialect', 'TokenError'],
  },
  './testing': {
    values: [
      ...['TestLoginError', 'conformance', 'createTestAuthorizationServer', 'createTestBrowser'],
      ...['logIn', 'logoutConformance', 'misbehaviours', 'wrongLogoutTokens'],
    ],
    types: [
      ...['AuthorizationFaults', 'ConformanceModule', 'ConformanceModuleName', 'DiscoveryFaults'],
      ...['EndSessionFaults', 'Fault', 'FaultyAnswer', 'FaultyEndpoint', 'IdTokenFault'],
      ...['IssuedTokens', 'JsonObject', 'JwksFaults', 'JwtToSign', 'LogInOptions', 'LoggedIn'],
      ...['LogoutConformanceModule', 'LogoutConformanceModuleName', 'LogoutTokenRequest'],
      ...['LogoutTokenResponse', 'LogoutUris', 'Misbehaviour', 'MisbehaviourName'],
      ...['MisbehaviourOptions', 'NamedMisbehaviour', 'PlaywrightPage'],
      ...['PushedAuthorizationFaults', 'RecordedRequest', 'SigningAlgorithm', 'SupertestAgent'],
      ...['SupertestRequest', 'SupertestResponse', 'TestAuthorizationServer'],
      ...['TestAuthorizationServerOptions', 'TestBrowser', 'TestBrowserOptions'],
      ...['TestBrowserRequest', 'TestClient', 'TestClientAuthMethod', 'TestClock'],
      ...['TestServerEndpoint', 'TestServerMetadata', 'TestServerTls', 'TestUser', 'TokenFaults'],
      ...['TransportFaults', 'UserinfoFaults'],
    ],
  },
  './redis': {
    values: ['redisLock'],
    types: ['IoredisClient', 'NodeRedisClient', 'RedisLockOptions'],
  },
  './postgres': {
    values: ['postgresLock'],
    types: ['PostgresLockOptions', 'PostgresPool'],
  },
}

/** What signatures mention and nobody can import: by what it is part of, and is to be named by. */
const parts: Record<string, string[]> = {
  CommonOptions: ['MaybePromise'],
  DiscoveredServer: ['NoPreset'],
  FaultsByEndpoint: ['OneOf'],
  Fault: ['FaultsByEndpoint'],
  GivenServer: ['NoPreset'],
  ManagerAttributes: ['ClientSettings'],
  PkceFlowErrorCode: ['statusByCode'],
  PkceFlowManager: ['MaybePromise', 'Retrieved'],
  PkceFlowOptions: [
    ...['ClientWithOwnAuthentication', 'ClientWithSecret', 'ConnectedAccounts'],
    ...['DiscoveredServer', 'GivenServer', 'PublicClient', 'SessionTokens', 'UserTokens'],
  ],
  SessionTokens: ['SignIns'],
  UserTokens: ['SignIns'],
  ConformanceModuleName: ['modules'],
  LogoutConformanceModuleName: ['modules'],
  MisbehaviourName: ['all'],
  Retrieved: ['MaybePromise'],
  keycloak: ['Place'],
}

describe('what can be imported', function () {
  this.timeout(120_000)

  let consumer: Consumer
  let dist: string
  let program: ts.Program
  let checker: ts.TypeChecker
  const entries = Object.entries(manifest.exports).flatMap(([entry, target]) =>
    typeof target === 'string' ? [] : [{ entry, types: target['types'] ?? '' }],
  )

  before(async () => {
    consumer = await createConsumer(['@types/node', '@types/express'])
    const folder = join(consumer.folder, 'node_modules', manifest.name)
    dist = join(folder, 'dist/')
    program = ts.createProgram(
      entries.map(({ types }) => join(folder, types)),
      {
        module: ts.ModuleKind.NodeNext,
        target: ts.ScriptTarget.ES2023,
        strict: true,
        noEmit: true,
        types: ['node'],
        typeRoots: [installed('@types')],
      },
    )
    checker = program.getTypeChecker()
  })
  after(() => consumer.remove())

  const original = (symbol: ts.Symbol): ts.Symbol =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol

  function exportsOf(types: string): ts.Symbol[] {
    const file = program.getSourceFile(join(dist, '..', types))
    const module = checker.getSymbolAtLocation(file!)
    return module ? checker.getExportsOfModule(module) : []
  }

  /** Declarations of our own, none of our dependencies. */
  const declarationsOf = (symbol: ts.Symbol): ts.Declaration[] =>
    (symbol.declarations ?? []).filter((each) => each.getSourceFile().fileName.startsWith(dist))

  /** The types and values that a declaration names. */
  function namedIn(declaration: ts.Declaration): ts.Symbol[] {
    const named: ts.Symbol[] = []
    const visit = (node: ts.Node): void => {
      const name = ts.isTypeReferenceNode(node)
        ? node.typeName
        : ts.isTypeQueryNode(node)
          ? node.exprName
          : ts.isExpressionWithTypeArguments(node)
            ? node.expression
            : undefined
      const symbol = name && checker.getSymbolAtLocation(name)
      if (symbol) named.push(original(symbol))
      ts.forEachChild(node, visit)
    }
    visit(declaration)
    return named.filter(
      (symbol) =>
        declarationsOf(symbol).length > 0 && !(symbol.flags & ts.SymbolFlags.TypeParameter),
    )
  }

  it('is what is listed here, and nothing else', () => {
    const found = entries.map(({ entry, types }) => {
      const symbols = exportsOf(types)
      const named = (isValue: boolean) =>
        symbols
          .filter((each) => Boolean(original(each).flags & ts.SymbolFlags.Value) === isValue)
          .map(({ name }) => name)
          .sort()
      return [entry, { values: named(true), types: named(false) }]
    })
    expect(Object.fromEntries(found)).to.deep.equal(documented)
  })

  for (const [way, flag, load] of [
    ['imported', '--input-type=module', 'await import(name)'],
    ['required', '--input-type=commonjs', 'require(name)'],
  ] as const)
    it(`is there when it is ${way}`, async () => {
      const names = Object.keys(documented).map((entry) => join(manifest.name, entry))
      const program_ = `void (async () => {
        const found = []
        for (const name of ${JSON.stringify(names)})
          found.push(Object.keys(${load}).filter((key) => key !== 'module.exports').sort())
        console.log(JSON.stringify(found))
      })()`
      const { output } = await consumer.node([flag, '-e', program_])
      expect(JSON.parse(output)).to.deep.equal(
        Object.values(documented).map(({ values }) => [...values].sort()),
      )
    })

  it('is all that signatures mention, but for parts of a type that has a name', () => {
    const importable = new Set(entries.flatMap(({ types }) => exportsOf(types).map(original)))
    const found: Record<string, Set<string>> = {}
    const known = new Set(importable)
    for (const symbol of known)
      for (const mentioned of declarationsOf(symbol).flatMap(namedIn)) {
        known.add(mentioned)
        if (!importable.has(mentioned)) (found[symbol.name] ??= new Set()).add(mentioned.name)
      }
    const sorted = Object.entries(found).map(([name, names]) => [name, [...names].sort()])
    expect(Object.fromEntries(sorted)).to.deep.equal(parts)
  })

  it('has types without a mistake, for those who check the types of libraries, too', () => {
    const files = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(dist))
    expect(files.length).to.be.greaterThan(10)
    const messages = files.flatMap((file) =>
      [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
        ({ messageText }) => [file.fileName, ts.flattenDiagnosticMessageText(messageText, ' ')],
      ),
    )
    expect(messages).to.be.empty
  })
})
