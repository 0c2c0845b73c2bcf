/**
 * What the authorization server and all apps agreed on when the client was registered, and the size
 * of what is handed out. Part of the yardstick: another value here makes older figures incomparable.
 */
export const registration = {
  clientId: 'bench.client',
  clientSecret: 'bench.secret.0123456789abcdef',
  scope: 'openid',
} as const

/**
 * Characters of the tokens, 2 kB in all: the ID Token of this server has about 592. Sizes as vendors
 * send them: a JWT access token with a few claims, an opaque refresh token.
 */
export const tokenLength = { access: 1_200, refresh: 256 } as const

/** The name of the cookie by which the authorization server knows the person, as if signed in there. */
export const subjectCookie = 'subject'
