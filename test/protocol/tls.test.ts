import https from 'node:https'
import net, { type AddressInfo } from 'node:net'
import { mock } from 'node:test'
import { expect } from 'chai'
import { startApp, type RunningApp } from '../support/app.ts'
import { createCertificates, type Certificates } from '../support/certificates.ts'
import { createBrowser } from '../support/browser.ts'
import { until } from '../support/until.ts'
import { failLogin } from './attempt.ts'

describe('TLS to the authorization server (RFC 9110 section 4.3.4)', () => {
  let certificates: Certificates
  let app: RunningApp | undefined
  let server: net.Server | undefined
  const connections: net.Socket[] = []
  let requests = 0

  before(async () => {
    certificates = await createCertificates()
  })

  afterEach(async () => {
    mock.timers.reset()
    await app?.close()
    for (const socket of connections.splice(0)) socket.destroy()
    await new Promise((resolve) => server?.close(resolve))
    app = server = undefined
    requests = 0
  })

  /** An app whose authorization server is there; it trusts our CA, unless told not to. */
  async function startAt(listener: net.Server, { ca = certificates.ca } = {}): Promise<RunningApp> {
    server = listener
    listener.on('connection', (socket) => connections.push(socket))
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
    const issuer = `https://127.0.0.1:${(listener.address() as AddressInfo).port}`
    listener.on('request', (_req, res: import('node:http').ServerResponse) => {
      requests += 1
      res.setHeader('content-type', 'application/json')
      res.end(
        JSON.stringify({
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          jwks_uri: `${issuer}/jwks`,
        }),
      )
    })
    app = await startApp({ flow: { issuer, timeout: 1_000, agent: new https.Agent({ ca }) } })
    return app
  }

  it('a certificate of a trusted authority, for this host: its metadata are taken', async () => {
    const trusting = await startAt(https.createServer(certificates.server))
    const page = await createBrowser().request(trusting.url('/login'))
    expect(page.status).to.equal(302)
    expect(requests).to.equal(1)
  })

  const refused: [what: string, certificate: () => keyof Certificates, ca?: 'none'][] = [
    ['that has expired', () => 'expired'],
    ['for another host', () => 'misnamed'],
    ['of an authority that nobody trusts', () => 'server', 'none'],
  ]
  for (const [what, certificate, ca] of refused)
    it(`a certificate ${what}: server_unavailable, and nothing is sent`, async () => {
      const listener = https.createServer(certificates[certificate()] as https.ServerOptions)
      const distrusting = await startAt(listener, ca && { ca: '' })
      const { message } = await failLogin(distrusting, 'server_unavailable')
      expect(message).to.equal('The authorization server could not be reached.')
      expect({ requests, connected: connections.length > 0 }).to.deep.equal({
        requests: 0,
        connected: true,
      })
    })

  it('a server that speaks no TLS: server_unavailable', async () => {
    const plain = await startAt(net.createServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n')))
    await failLogin(plain, 'server_unavailable')
  })

  it('a handshake that never ends: server_timeout', async () => {
    const silent = await startAt(net.createServer((socket) => socket.on('error', () => undefined)))
    mock.timers.enable({ apis: ['setTimeout'] })
    const failing = failLogin(silent, 'server_timeout')
    await until(() => connections.length > 0)
    mock.timers.tick(1_000)
    await failing
  })
})
