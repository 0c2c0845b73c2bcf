import { X509Certificate } from 'node:crypto'
import { generate } from 'selfsigned'

/** A private key with its certificate, in PEM. */
export interface Certificate {
  key: string
  cert: string
}

export interface Certificates {
  /** PEM of the certificate authority that signed the others. */
  ca: string
  /** For 127.0.0.1, localhost and the names asked for. */
  server: Certificate
  /** The same, but valid no more. */
  expired: Certificate
  /** The same, but for another host. */
  misnamed: Certificate
  /** For a TLS client; its SHA-256 fingerprint as Node writes it. */
  client: Certificate & { commonName: string; fingerprint256: string }
}

// TLS checks the validity against the machine's clock, also when a test moves `Date`.
const validity = { notBeforeDate: new Date('2020-01-01'), notAfterDate: new Date('2099-01-01') }
const base = { ...validity, keyType: 'ec', algorithm: 'sha256' } as const

/** Makes a certificate authority, a server certificate and a client certificate, in memory. */
export async function createCertificates({
  names = [],
  clientName = 'test-client',
}: { names?: string[]; clientName?: string } = {}): Promise<Certificates> {
  const ca = await generate([{ name: 'commonName', value: 'Test CA' }], {
    ...base,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  })
  const signed = { ...base, ca: { key: ca.private, cert: ca.cert } }
  async function forServer(altNames: object[], times: object = {}): Promise<Certificate> {
    const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
      ...{ ...signed, ...times },
      extensions: [
        { name: 'basicConstraints', cA: false },
        { name: 'keyUsage', digitalSignature: true, critical: true },
        { name: 'extKeyUsage', serverAuth: true },
        { name: 'subjectAltName', altNames: altNames as { type: 2; value: string }[] },
      ],
    })
    return { key, cert }
  }
  const loopback = [
    { type: 7, ip: '127.0.0.1' },
    ...['localhost', ...names].map((value) => ({ type: 2, value })),
  ]
  const client = await generate([{ name: 'commonName', value: clientName }], {
    ...signed,
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', clientAuth: true },
    ],
  })
  return {
    ca: ca.cert,
    server: await forServer(loopback),
    expired: await forServer(loopback, { notAfterDate: new Date('2020-01-02') }),
    misnamed: await forServer([{ type: 2, value: 'other.example' }]),
    client: {
      key: client.private,
      cert: client.cert,
      commonName: clientName,
      fingerprint256: new X509Certificate(client.cert).fingerprint256,
    },
  }
}
