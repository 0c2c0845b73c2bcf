/** Three parts of base64url, the first two of which do not begin with the byte order mark. */
const pattern = /^(?!77u_)[\w-]+\.(?!77u_)[\w-]+\.[\w-]+$/

/**
 * Whether this has the form of a signed JWT (RFC 7515 sections 5.2 and 7.1, RFC 7519 section 7.2). A
 * decoder may pass over spaces, line ends, a byte order mark and a last character that is alone in its
 * four (RFC 4648 section 4), on some versions of Node or on all: a token must not mean something to one
 * reader and nothing to the next.
 */
export function isCompactJwt(text: string): boolean {
  return pattern.test(text) && text.split('.').every((part) => part.length % 4 !== 1)
}
