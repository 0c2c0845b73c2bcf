import { expect } from 'chai'
import { type PlainProvider, startPlainProvider } from '../../example-app/plain-provider.ts'

// RFC 7636 appendix B
const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
const redirectUri = 'http://127.0.0.1:1/projects/callback'

describe('Example app: the plain provider', () => {
  let provider: PlainProvider

  beforeEach(async () => {
    provider = await startPlainProvider({ redirectUri })
  })

  afterEach(() => provider.close())

  /** Sends the form of the consent page; resolves to the status and where it leads. */
  async function authorize(changes: Record<string, string> = {}, site = 'same-origin') {
    const query = new URLSearchParams({
      client_id: provider.clientId,
      redirect_uri: redirectUri,
      response_type: 'code',
      scope: 'read_api',
      state: 'a b&c',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      ...changes,
    })
    const response = await fetch(`${provider.rootUrl}authorize?${query.toString()}`, {
      method: 'POST',
      headers: { 'sec-fetch-site': site },
      body: new URLSearchParams({ decision: 'allow' }),
      redirect: 'manual',
    })
    const location = response.headers.get('location')
    const answer = location === null ? undefined : new URL(location).searchParams
    return { status: response.status, ...Object.fromEntries(answer ?? []) } as {
      status: number
      code?: string
      error?: string
      state?: string
    }
  }

  async function post(path: string, body: Record<string, string>, secret = provider.clientSecret) {
    const credentials = Buffer.from(`${provider.clientId}:${secret}`).toString('base64')
    const response = await fetch(provider.rootUrl + path, {
      method: 'POST',
      headers: { authorization: `Basic ${credentials}` },
      body: new URLSearchParams(body),
    })
    const answer = (await response.json()) as Record<string, string>
    return { status: response.status, ...answer } as {
      status: number
      error?: string
      access_token: string
      refresh_token: string
    }
  }

  async function exchange(code: string | undefined, changes: Record<string, string> = {}) {
    return post('token', {
      grant_type: 'authorization_code',
      code: code ?? '',
      redirect_uri: redirectUri,
      code_verifier: verifier,
      ...changes,
    })
  }

  async function connect() {
    return exchange((await authorize()).code)
  }

  const refresh = (token: string) =>
    post('token', { grant_type: 'refresh_token', refresh_token: token })

  async function projectsStatus(token: string): Promise<number> {
    const headers = { authorization: `Bearer ${token}` }
    return (await fetch(provider.projectsUrl, { headers })).status
  }

  for (const changes of [{ redirect_uri: 'http://127.0.0.1:1/other' }, { client_id: 'other' }])
    it(`RFC 6749 section 4.1.2.1: ${JSON.stringify(changes)} sends nobody anywhere`, async () => {
      expect(await authorize(changes)).to.deep.equal({ status: 400 })
    })

  const refusals = [
    { changes: { response_type: 'token' }, error: 'unsupported_response_type' },
    { changes: { code_challenge: '' }, error: 'invalid_request' },
    { changes: { code_challenge_method: 'plain' }, error: 'invalid_request' },
    { changes: { scope: 'api' }, error: 'invalid_scope' },
  ]
  for (const { changes, error } of refusals)
    it(`RFC 6749 section 4.1.2.1: ${JSON.stringify(changes)} is ${error}`, async () => {
      expect(await authorize(changes)).to.deep.equal({ status: 303, error, state: 'a b&c' })
    })

  it('a form of another site allows nothing', async () => {
    expect(await authorize({}, 'cross-site')).to.deep.equal({ status: 403 })
  })

  it('RFC 7636 section 4.6: a code is good with its verifier only', async () => {
    const { code } = await authorize()
    const other = 'a'.repeat(43)
    expect(await exchange(code, { code_verifier: other })).to.include({ error: 'invalid_grant' })
  })

  it('RFC 6749 section 4.1.2: a code sent twice ends what it brought', async () => {
    const { code } = await authorize()
    const { access_token: token } = await exchange(code)
    expect(await projectsStatus(token)).to.equal(200)
    expect(await exchange(code)).to.include({ status: 400, error: 'invalid_grant' })
    expect(await projectsStatus(token)).to.equal(401)
  })

  it('RFC 9700 section 4.14.2: a refresh token is good once, and a second use ends the grant', async () => {
    const first = await connect()
    const second = await refresh(first.refresh_token)
    expect(await projectsStatus(first.access_token)).to.equal(401)
    expect(await projectsStatus(second.access_token)).to.equal(200)
    expect(await refresh(first.refresh_token)).to.include({ status: 400, error: 'invalid_grant' })
    expect(await projectsStatus(second.access_token)).to.equal(401)
  })

  it('RFC 7009 section 2: revoking a token ends the grant; an unknown one is no error', async () => {
    const { access_token: token, refresh_token: refreshToken } = await connect()
    expect(await post('revoke', { token: 'unknown' })).to.deep.equal({ status: 200 })
    expect(await post('revoke', { token: refreshToken })).to.deep.equal({ status: 200 })
    expect(await projectsStatus(token)).to.equal(401)
    expect(await refresh(refreshToken)).to.include({ error: 'invalid_grant' })
  })

  it('RFC 6749 section 5.2: a wrong secret is 401 invalid_client', async () => {
    const refused = await post('token', { grant_type: 'refresh_token' }, 'wrong')
    expect(refused).to.deep.equal({ status: 401, error: 'invalid_client' })
  })
})
