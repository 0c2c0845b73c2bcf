/** Rows for which there is no test yet, by the subject of the issue that answers them. */
export const laterRows: Readonly<Record<string, readonly string[]>> = {
  DPoP: ['C-35'],
}

/** Rows that have tests already, but not for all that they say: what is left, and for which issue. */
export const openParts: Readonly<Record<string, string>> = {
  'C-20': 'DPoP: a bearer token where DPoP was asked for',
}

/** Rows that ask nothing of this package, with the reason. */
export const exemptRows: Readonly<Record<string, string>> = {
  'C-15':
    'at_hash is optional in the code flow (OpenID Connect Core section 3.1.3.8): the access token comes ' +
    'from the token endpoint itself, over TLS',
}
