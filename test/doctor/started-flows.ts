import { MemoryStore } from 'express-session'
import { pkceFlow } from '../../src/index.ts'

// Run as a child process with NODE_DEBUG set: makes a flow for each issuer that it is given, and lives
// until its parent lets go.

for (const [at, issuer] of process.argv.slice(2).entries())
  pkceFlow({
    ...{ issuer, clientId: 'client', clientSecret: 'a-client-secret', name: `flow-${at}` },
    redirectUri: 'http://127.0.0.1/callback',
    store: new MemoryStore(),
    timeout: 120_000,
  })

process.on('message', () => undefined)
