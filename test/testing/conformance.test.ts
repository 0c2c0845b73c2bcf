import { expect } from 'chai'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { conformance, createTestAuthorizationServer } from '../../src/testing/index.ts'
import type { ConformanceModule, TestAuthorizationServer } from '../../src/testing/index.ts'
import { authorize, codeExchange, answer, tokenRequest, userinfo } from './login.ts'

/** As little as a client must do to tell the modules apart. */
async function referenceLogin(
  server: TestAuthorizationServer,
): Promise<Exclude<ConformanceModule['outcome'], 'either'>> {
  const discovery = await fetch(`${server.issuer}/.well-known/openid-configuration`)
  const metadata = (await discovery.json()) as { issuer: string; jwks_uri: string }
  if (metadata.issuer !== server.issuer) return 'rejected'
  const login = await authorize(server)
  const { body } = await answer(tokenRequest(server, codeExchange(login)))
  let sub
  try {
    const { payload } = await jwtVerify(
      body.id_token,
      createRemoteJWKSet(new URL(metadata.jwks_uri)),
      {
        issuer: server.issuer,
        audience: 'test-client',
        algorithms: ['ES256', 'RS256'],
        requiredClaims: ['sub', 'iat', 'exp', 'nonce'],
      },
    )
    if (payload.nonce !== login.nonce) return 'rejected'
    sub = payload.sub
  } catch {
    return 'rejected'
  }
  const claims = (await (await userinfo(server, body.access_token)).json()) as { sub: string }
  return claims.sub === sub ? 'accepted' : 'userinfo-rejected'
}

describe('test authorization server: OpenID conformance modules for relying parties', () => {
  for (const [name, { options, misbehaviours, outcome }] of Object.entries(conformance))
    it(`${name}: ${outcome}`, async () => {
      const server = await createTestAuthorizationServer(options)
      server.misbehave(misbehaviours)
      const outcomes = outcome === 'either' ? ['accepted', 'rejected'] : [outcome]
      expect(await referenceLogin(server)).to.be.oneOf(outcomes)
      expect(await referenceLogin(server)).to.be.oneOf(outcomes)
      await server.close()
    })

  it('oidcc-client-test-signing-key-rotation: the second login is signed by new keys', async () => {
    const { options, misbehaviours } = conformance['oidcc-client-test-signing-key-rotation']
    const server = await createTestAuthorizationServer(options)
    server.misbehave(misbehaviours)
    const keySets = []
    for (let time = 0; time < 3; time += 1) {
      await authorize(server)
      keySets.push(await (await fetch(server.metadata.jwks_uri)).text())
    }
    expect(keySets[1]).not.to.equal(keySets[0])
    expect(keySets[2]).to.equal(keySets[1])
    await server.close()
  })
})
