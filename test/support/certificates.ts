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
  const server = await generate([{ name: 'commonName', value: 'localhost' }], {
    ...signed,
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 7, ip: '127.0.0.1' },
          ...['localhost', ...names].map((value) => ({ type: 2 as const, value })),
        ],
      },
    ],
  })
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
    server: { key: server.private, cert: server.cert },
    client: {
      key: client.private,
      cert: client.cert,
      commonName: clientName,
      fingerprint256: new X509Certificate(client.cert).fingerprint256,
    },
  }
}
