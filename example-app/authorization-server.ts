import { generateKeyPairSync, randomBytes } from 'node:crypto'
// The package's main file adds only a warning about Node 20 to these, printed at every start.
import { createMemoryAdapter } from 'oidc-provider/lib/adapters/memory_adapter.js'
import { base, Check } from 'oidc-provider/lib/helpers/interaction_policy/index.js'
import { Provider } from 'oidc-provider/lib/provider.js'
import type { Context, Grant } from 'oidc-provider/lib/provider.js'
import { describeProblem, interactionRoutes, pageHeaders } from './authorization-server-routes.ts'
import { loggedOutPage, logOutPage, problemPage } from './authorization-server-pages.ts'
import { listen } from './loopback-server.ts'
import type { LoopbackAddress } from './loopback-server.ts'

/** Options of {@link startAuthorizationServer}. */
export interface AuthorizationServerOptions extends LoopbackAddress {
  /** Where the client may be sent back to. */
  redirectUris: readonly string[]
  /** Registered metadata of the client (RFC 7591) that differ from the usual ones here. */
  client?: Readonly<Record<string, unknown>> | undefined
  /** Where a second client may be sent back to, and what else is registered of it. Default: none. */
  secondClient?: Readonly<{ redirect_uris: string[]; [name: string]: unknown }> | undefined
  /** Seconds that an access token is good for. Default: 900 (15 minutes). */
  accessTokenLifetime?: number | undefined
}

/** A running authorization server. */
export interface AuthorizationServer {
  issuer: string
  clientId: string
  clientSecret: string
  secondClient?: { clientId: string; clientSecret: string }
  /** What a protected API needs to ask whether an access token is good (RFC 7662). */
  introspection: { endpoint: string; clientId: string; clientSecret: string }
  close: () => Promise<void>
}

/**
 * Starts a real authorization server with log-in and consent pages for people: any user name, no
 * password. It always asks, so that one can be somebody else or refuse the next time.
 */
export async function startAuthorizationServer(
  options: AuthorizationServerOptions,
): Promise<AuthorizationServer> {
  const server = await listen(options)
  const issuer = server.origin
  const client = {
    client_id: 'example-app',
    client_secret: randomBytes(32).toString('base64url'),
    client_name: 'Example App',
    redirect_uris: options.redirectUris,
    grant_types: ['authorization_code', 'refresh_token'],
    id_token_signed_response_alg: 'ES256',
    ...options.client,
  }
  const secondClient = options.secondClient && {
    client_id: 'second-app',
    client_secret: randomBytes(32).toString('base64url'),
    client_name: 'Second App',
    ...options.secondClient,
  }
  const api = {
    client_id: 'notes-api',
    client_secret: randomBytes(32).toString('base64url'),
    redirect_uris: [],
    response_types: [],
    grant_types: [],
  }
  const accounts = new Map<string, string>()
  const [redirectUri] = options.redirectUris
  const appUrl = redirectUri === undefined ? undefined : new URL('/', redirectUri).href
  const provider = new Provider(issuer, {
    ...configuration(accounts, options.accessTokenLifetime ?? 900),
    clients: [client, api, ...(secondClient ? [secondClient] : [])],
    renderError(context: Context, _problem: object, error: Error) {
      respond(context, problemPage(describeProblem(error), appUrl))
    },
  })
  provider.use(async (context, next) => {
    await next()
    if (context.status !== 404 || context.body !== undefined) return
    respond(context, problemPage('The address is wrong: there is nothing here.', appUrl))
    context.status = 404 // a body makes it 200
  })
  provider.on('backchannel.error', (_context, error, { clientId }) => {
    console.error(`Gatehouse could not tell ${clientId} of a logout: ${error.message}`)
  })
  server.answerWith(interactionRoutes(provider, accounts, appUrl))
  return {
    issuer,
    clientId: client.client_id,
    clientSecret: client.client_secret,
    ...(secondClient && {
      secondClient: { clientId: secondClient.client_id, clientSecret: secondClient.client_secret },
    }),
    introspection: {
      endpoint: `${issuer}/token/introspection`,
      clientId: api.client_id,
      clientSecret: api.client_secret,
    },
    close: server.close,
  }
}

/** Everything that oidc-provider would otherwise fill with a default and a warning about it. */
function configuration(accounts: Map<string, string>, accessTokenLifetime: number): object {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const days = 24 * 60 * 60
  return {
    adapter: createMemoryAdapter(),
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256' }] },
    // The app is on the same host, and cookies know no ports: these names are nobody else's.
    cookies: {
      names: {
        session: 'gatehouse_session',
        interaction: 'gatehouse_interaction',
        resume: 'gatehouse_resume',
      },
      keys: [randomBytes(32).toString('base64url')],
    },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    scopes: ['openid', 'profile', 'notes:read', 'offline_access'],
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'] },
    // The name belongs in the ID Token too: the app greets the person without another request.
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: false },
      introspection: {
        enabled: true,
        allowedPolicy: (_context: Context, client: { clientId: string }) =>
          client.clientId === 'notes-api',
      },
      revocation: {
        enabled: true,
        allowedPolicy: (_: Context, client: { clientId: string }, token: { clientId: string }) =>
          client.clientId === token.clientId,
      },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource(context: Context, form: string) {
          const { entities, session } = context.oidc
          const name = accounts.get(session.accountId ?? '') ?? ''
          respond(context, logOutPage(form, name, entities.Client !== undefined))
        },
        postLogoutSuccessSource: (context: Context) => respond(context, loggedOutPage()),
      },
    },
    // Its own protection refuses loopback addresses, and that is where the apps are.
    fetch: (url: string, { dispatcher: _, ...init }: RequestInit & { dispatcher?: unknown }) =>
      fetch(url, init),
    clientBasedCORS: () => false,
    // Else a second tab's login would end the codes and tokens of the first one's.
    expiresWithSession: () => false,
    findAccount: (_context: Context, accountId: string) => ({
      accountId,
      claims: () => ({
        sub: accountId,
        name: accounts.get(accountId),
        preferred_username: accounts.get(accountId),
      }),
    }),
    issueRefreshToken: (_: Context, client: { grantTypeAllowed(type: string): boolean }) =>
      client.grantTypeAllowed('refresh_token'),
    interactions: { policy: alwaysAskWho(), url: pathOf },
    loadExistingGrant: consentOfThisTime,
    ttl: {
      AccessToken: accessTokenLifetime,
      Grant: 14 * days,
      IdToken: 60 * 60,
      Interaction: 60 * 60,
      RefreshToken: 14 * days,
      Session: 14 * days,
    },
  }
}

/** Log-in page at every login, except when the app says that nobody shall be asked. */
function alwaysAskWho(): object {
  const policy = base()
  const askAgain = (context: Context) =>
    context.oidc.result?.login === undefined && !context.oidc.promptPending('none')
  policy
    .get('login')
    .checks.add(new Check('ask_again', 'this server always asks', 'login_required', askAgain))
  return policy
}

/** Consent page at every login, with the same exception. */
async function consentOfThisTime({ oidc }: Context): Promise<Grant | undefined> {
  const earlier = oidc.promptPending('none') && oidc.session.grantIdFor(oidc.client.clientId)
  const id = oidc.result?.consent?.grantId ?? earlier
  return id ? oidc.provider.Grant.find(id) : undefined
}

function pathOf(_context: Context, interaction: { uid: string }): string {
  return `/interaction/${interaction.uid}`
}

function respond(context: Context, page: string): void {
  context.set(pageHeaders)
  context.type = 'html'
  context.body = page
}
