import request from 'supertest'
import { createTestAuthorizationServer, logIn } from 'express-pkce-flow/testing'
import { createApp } from './app.js'

const server = await createTestAuthorizationServer()

it('shows a user her projects', async () => {
  const agent = request.agent(createApp(server.issuer))
  await agent.get('/projects').expect(401)
  const { tokens } = await logIn(agent, { server, user: 'bob', path: '/projects' })
  await agent.get('/projects').expect(200, { owner: 'bob', token: tokens.accessToken })
})

it('goes on when the access token has expired', async () => {
  const agent = request.agent(createApp(server.issuer))
  await logIn(agent, { server, expired: true })
  await agent.get('/projects').expect(200)
})

it('says so when a login is refused', async () => {
  const agent = request.agent(createApp(server.issuer))
  server.misbehave('authorization-access-denied', { times: 1 })
  const error = await logIn(agent, { server }).catch((reason) => reason)
  if (error.status !== 403) throw error
})
