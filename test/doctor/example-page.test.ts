import { expect } from 'chai'
import type { Example } from '../../example-app/start-example.ts'
import { startExample } from '../browser/example.ts'
import { createBrowser } from '../support/browser.ts'
import { printedBy } from '../support/output.ts'
import { person } from './doctor-app.ts'

describe('Example app: the page of the doctor', () => {
  const environment = process.env.NODE_ENV
  let example: Example

  before(async () => {
    example = await startExample({ jobInterval: 0 })
  })

  after(async () => {
    await example.close()
  })

  const ask = (path: string, headers = {}) =>
    createBrowser().request(example.url + path, { headers: { ...person, ...headers } })

  it('is linked from the others, and finds nothing wrong', async () => {
    expect((await ask('')).body).to.include('href="/doctor"')
    const page = await ask('doctor')
    expect(page.status).to.equal(200)
    expect(page.body).to.include('<h1>Nothing is wrong</h1>')
    expect(page.headers['content-security-policy']).to.include("default-src 'none'")
  })

  it('says of both flows what is wrong, where to read more, and shows nothing that was sent', async () => {
    const page = await ask('doctor', { host: '<b>localhost</b>' })
    expect(page.body).to.include('<h1>2 things are wrong</h1>').and.not.to.include('<b>')
    expect(page.body.match(/<code>other_origin<\/code>/g)).to.have.length(2)
    expect(page.body).to.include('docs/behind-a-proxy.md#one-host')
  })

  describe('in production', () => {
    let production: Example

    before(async () => {
      process.env.NODE_ENV = 'production'
      const { issuer } = example.authorizationServer!
      const provider = {
        flow: { issuer, clientId: 'client', clientSecret: 'client-secret' },
        api: {
          url: `${example.url}notes`,
          name: 'notes' as const,
          loginAt: '',
          accountUrl: issuer,
        },
      }
      await printedBy(async () => {
        production = await startExample({ jobInterval: 0, provider })
      })
    })

    after(async () => {
      if (environment === undefined) delete process.env.NODE_ENV
      else process.env.NODE_ENV = environment
      await production.close()
    })

    it('there is none, and no link to it', async () => {
      for (const [path, status] of [
        ['', 200],
        ['doctor', 404],
      ] as const) {
        const page = await createBrowser().request(production.url + path)
        expect(page.status).to.equal(status)
        expect(page.body).not.to.include('href="/doctor"')
      }
    })
  })
})
