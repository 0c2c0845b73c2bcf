import { expect } from 'chai'
import { github, google, zoom, type Preset } from '../../src/presets/index.ts'
import { startPlainProvider, type PlainProvider } from '../presets/plain-provider.ts'
import { rejection } from '../support/rejection.ts'
import { MemoryManager, startLogin } from './memory-manager.ts'

class PresetManager extends MemoryManager {
  #preset: Preset
  constructor(preset: Preset) {
    super()
    this.#preset = preset
  }

  /** A getter, as a class may have it. */
  override get server() {
    return this.#preset
  }
}

describe('PkceFlowManager with a preset', () => {
  let provider: PlainProvider

  beforeEach(async () => {
    provider = await startPlainProvider(github())
  })

  afterEach(() => provider.close())

  it('asks and understands as the server does', async () => {
    provider.answers.token_endpoint.push(
      { form: 'access_token=ghu_1&refresh_token=ghr_1&scope=read%2Cwrite&token_type=bearer' },
      { json: { error: 'bad_refresh_token' } },
      { json: { error: 'bad_verification_code' } },
    )
    const manager = new PresetManager(provider.preset)
    const tokens = await manager.fetchAccessToken(await startLogin(manager))
    expect(tokens).to.include({ accessToken: 'ghu_1', refreshToken: 'ghr_1' })
    expect(tokens.scope).to.deep.equal(['read', 'write'])
    const { headers, body } = provider.seen.token_endpoint[0]!
    expect(headers).not.to.have.property('authorization')
    expect(body).to.include({ client_id: 'test-client', client_secret: 'test-client-secret' })
    const ended = await rejection(manager.refresh('ghr_1'))
    expect(ended).to.include({ code: 'reauthorization_required' })
    const rejected = await rejection(manager.fetchAccessToken(await startLogin(manager, 'bob')))
    expect(rejected).to.include({ code: 'code_rejected' })
  })

  it('what the class says goes over it', async () => {
    const server = {
      ...provider.preset,
      scope: ['offline'],
      authorizationParams: { prompt: 'consent', audience: 'api' },
    }
    const manager = Object.assign(new MemoryManager(), {
      server,
      clientAuth: 'client_secret_basic' as const,
      authorizationParams: { prompt: 'login' },
    })
    provider.answers.token_endpoint.push({ json: { access_token: 'a', token_type: 'bearer' } })
    await manager.fetchAccessToken(await startLogin(manager))
    const { query } = provider.seen.authorization_endpoint[0]!
    expect(query.get('prompt')).to.equal('login')
    expect(query.get('audience')).to.equal('api')
    expect(query.get('scope')).to.equal('read write offline')
    expect(provider.seen.token_endpoint[0]!.headers.authorization).to.match(/^Basic /)
  })

  for (const [what, members, named] of [
    ['an issuer beside it', { server: google(), issuer: 'https://a.example' }, '"issuer"'],
    ['a root URL beside it', { server: google(), rootUrl: 'https://a.example' }, '"rootUrl"'],
    ['a misspelt member', { server: { ...zoom(), dialekt: {} } }, '"server.dialect"'],
    [
      'half of it at another server',
      { server: { ...github(), token_endpoint: 'https://a.example/token' } },
      '"server.userinfo_endpoint"',
    ],
  ] as const)
    it(`P15: ${what} is refused`, async () => {
      const manager = Object.assign(new MemoryManager(), members)
      const error = await rejection(manager.makeUserSecrets('alice'))
      expect(error).to.include({ code: 'configuration' })
      expect(error.message).to.include(named)
    })
})
