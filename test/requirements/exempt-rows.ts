/** Rows that ask nothing of this package, with the reason. */
export const exemptRows: Readonly<Record<string, string>> = {
  'C-15':
    'at_hash is optional in the code flow (OpenID Connect Core section 3.1.3.8): the access token comes ' +
    'from the token endpoint itself, over TLS',
  'C-35':
    'DPoP (RFC 9449) is not offered: no token is bound to a key, so none is kept; a DPoP token that ' +
    'nobody asked for is refused (C-20, D-44, D-59)',
}

/** What asks nothing of this package in rows that are tested, with the reason. */
export const exemptParts: Readonly<Record<string, string>> = {
  'C-20': 'a bearer token where DPoP was asked for: DPoP is not offered, so nobody asks for it',
  'C-32':
    'a session dump that the client sees: req.session holds a reference only (C-33), and the package ' +
    'shows it to nobody',
  'C-33':
    'stores that keep the session in the cookie: they are no express-session stores, and the tokens ' +
    'would not be in the session anyway',
  'D-33': 'an alert in a log: the package writes none, the app logs the error of its error handler',
  'D-84':
    'no index in the store, an error at start: none is needed, a logout token leaves a marker that ' +
    'sign-ins look for',
}
