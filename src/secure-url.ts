/**
 * Whether a URL may be talked to: TLS everywhere (RFC 9700 section 2.6), and plain `http:` on the
 * loopback interface, which never leaves the machine.
 */
export function isSecureOrLoopback(url: URL): boolean {
  return (
    url.protocol === 'https:' ||
    (url.protocol === 'http:' && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url.hostname))
  )
}
