import { expect } from 'chai'
import { ConfigurationError } from '../../src/index.ts'
import { createWorld } from './world.ts'

const openServers = (): number =>
  process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length

describe('requirements: what a row needs', () => {
  const cases = {
    'the flow': { app: { flow: { clientId: '' } } },
    'the second flow': { app: { secondFlow: { clientId: '' } } },
  }
  for (const [what, setUp] of Object.entries(cases))
    it(`options of ${what} that are refused leave no server open, which would never end`, async () => {
      const before = openServers()
      const refused = await createWorld(setUp).catch((error: unknown) => error)
      expect(refused).to.be.instanceOf(ConfigurationError)
      expect(openServers()).to.equal(before)
    })
})
