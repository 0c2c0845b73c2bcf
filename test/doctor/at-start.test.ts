import { fork } from 'node:child_process'
import { once } from 'node:events'
import { expect } from 'chai'
import { createTestAuthorizationServer } from '../../src/testing/index.ts'
import { startApp } from '../support/app.ts'

describe('a line at start', () => {
  it('says under NODE_DEBUG what is wrong, and nobody waits for a server that hangs', async () => {
    const well = await createTestAuthorizationServer()
    const unsafe = await createTestAuthorizationServer({
      metadata: { code_challenge_methods_supported: ['plain'] },
    })
    const hanging = await createTestAuthorizationServer()
    hanging.misbehave('discovery', { hang: true })
    const servers = [well, unsafe, hanging]

    const issuers = servers.map(({ issuer }) => issuer)
    const child = fork(new URL('started-flows.ts', import.meta.url), issuers, {
      silent: true,
      execArgv: ['--import', 'tsx'],
      env: { ...process.env, NODE_DEBUG: 'express-pkce-flow' },
    })
    let printed = ''
    const lines = new Promise<void>((resolve) => {
      child.stderr!.setEncoding('utf8').on('data', (text: string) => {
        printed += text
        if (printed.includes('flow-0: ') && printed.includes('flow-1: ')) resolve()
      })
    })
    await Promise.all([lines, hanging.received('discovery')])
    child.disconnect()
    expect((await once(child, 'exit')) as unknown[]).to.deep.equal([0, null])
    expect(printed).to.match(/flow-0: diagnose: nothing is wrong/)
    expect(printed).to.match(/flow-1: diagnose: s256_missing: .*docs\/errors\.md#/)
    expect(printed).not.to.include('a-client-secret')
    expect(printed).not.to.include('flow-2')
    for (const server of servers) await server.close()
  })

  it('without NODE_DEBUG asks the server nothing', async () => {
    const app = await startApp()
    await app.flow.ready()
    await app.flow.diagnose()
    expect(app.server.requests.map(({ endpoint }) => endpoint)).to.deep.equal(['discovery', 'jwks'])
    await app.close()
  })
})
