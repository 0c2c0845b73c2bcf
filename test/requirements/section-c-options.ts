import { type OptionRow } from './row.ts'

/** Section C, what options are refused. */
export const sectionCOptions: readonly OptionRow[] = [
  ...[
    'code_challenge',
    'code_challenge_method',
    'state',
    'nonce',
    'redirect_uri',
    'response_type',
    'client_id',
    'scope',
    'response_mode',
    'request',
    'request_uri',
  ].map((name) => ({
    id: name === 'scope' ? 'C-45' : name === 'nonce' ? 'C-07' : name === 'state' ? 'C-01' : 'C-03',
    title: `authorizationParams.${name}`,
    options: { authorizationParams: { [name]: 'x' } },
    refused: `authorizationParams.${name}`,
  })),
  {
    id: 'C-03',
    title: 'server.code_challenge_methods_supported without S256',
    options: { server: { code_challenge_methods_supported: ['plain'] } },
    refused: 'server.code_challenge_methods_supported',
  },
  {
    id: 'C-09',
    title: 'issuer with /.well-known/',
    options: { issuer: 'https://server.example/.well-known/openid-configuration' },
    refused: 'issuer',
  },
  ...['http://server.example', 'ftp://127.0.0.1', 'server.example', '', 7].map((issuer) => ({
    id: 'C-30',
    title: `issuer ${JSON.stringify(issuer)}`,
    options: { issuer },
    refused: 'issuer',
  })),
  ...['authorization_endpoint', 'token_endpoint', 'jwks_uri', 'revocation_endpoint'].map(
    (name) => ({
      id: 'C-30',
      title: `server.${name} with plain http:`,
      options: { server: { [name]: 'http://server.example/x' } },
      refused: `server.${name}`,
    }),
  ),
  ...['none', 'HS256', 'HS512'].map((algorithm) => ({
    id: 'C-13',
    title: `server.id_token_signing_alg_values_supported with ${algorithm}`,
    options: { server: { id_token_signing_alg_values_supported: ['ES256', algorithm] } },
    refused: 'server.id_token_signing_alg_values_supported',
  })),
  {
    id: 'C-12',
    title: 'openid without jwks_uri, by hand',
    options: {
      issuer: undefined,
      scope: 'openid',
      server: {
        issuer: 'https://server.example',
        authorization_endpoint: 'https://server.example/authorize',
        token_endpoint: 'https://server.example/token',
      },
    },
    refused: 'server',
  },
  {
    id: 'C-23',
    title: 'redirectUri with a query',
    options: { redirectUri: 'https://app.example/callback?x=1' },
    refused: 'redirectUri',
  },
  {
    id: 'C-23',
    title: 'redirectUri with an empty query',
    options: { redirectUri: 'https://app.example/callback?' },
    refused: 'redirectUri',
  },
  ...['afterLogin', 'afterLogout'].flatMap((name) =>
    ['//evil.example', 'https://evil.example/', '/\\evil.example', '/..//evil.example', 'here'].map(
      (place) => ({
        id: 'C-24',
        title: `${name} ${place}`,
        options: { [name]: place },
        refused: name,
      }),
    ),
  ),
  {
    id: 'C-27',
    title: 'form_post with plain http:, whose cookie would never come',
    options: { responseMode: 'form_post', redirectUri: 'http://127.0.0.1/callback' },
    refused: 'responseMode',
  },
  ...[
    'http://app.example/callback',
    'http://127.0.0.1.evil.example/callback',
    'http://[::2]/callback',
    'app://callback',
  ].map((redirectUri) => ({
    id: 'C-46',
    title: `redirectUri ${redirectUri}`,
    options: { redirectUri },
    refused: 'redirectUri',
  })),
  ...[
    'http://127.0.0.1/callback',
    'http://127.9.9.9:8080/callback',
    'http://[::1]/callback',
    'http://localhost/callback',
    'https://app.example/callback',
  ].map((redirectUri) => ({
    id: 'C-46',
    title: `redirectUri ${redirectUri} is right`,
    options: { redirectUri },
    refused: '',
  })),
]
