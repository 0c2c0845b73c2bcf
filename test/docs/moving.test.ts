import { expect } from 'chai'
import { createDocsProject, programIn, type DocsProject } from './docs-project.ts'
import { type GuideApp, script, startGuideApp } from './guide-app.ts'

describe('apps that moved here', function () {
  this.timeout(120_000)

  let project: DocsProject
  let app: GuideApp

  before(async () => {
    project = await createDocsProject({
      'express-openid-connect.ts': await programIn('moving-from-express-openid-connect.md'),
      'passport.ts': await programIn('moving-from-passport.md'),
      'auth-js.ts': await programIn('moving-from-auth-js.md'),
    })
  })

  after(() => project.remove())

  afterEach(() => app.close())

  const path = ({ url }: { url: string }) => url.slice(app.origin.length)

  it('from express-openid-connect', async () => {
    app = await startGuideApp(project, 'express-openid-connect.ts')
    expect((await app.open('/')).body).to.equal('Hello')
    const reports = await app.open('/reports')
    expect([path(reports), reports.body]).to.deep.equal(['/reports', '["alice / diary"]'])
    expect((await app.server.received('authorization')).query.get('scope')).to.equal(
      'openid read:reports',
    )
    expect((await app.open('/')).body).to.equal('Hello alice')
    // Who lacks the claim is refused, and not sent in circles.
    expect((await app.open('/admin')).status).to.equal(403)
    expect(app.server.count('authorization')).to.equal(1)
    await app.open('/logout')
    expect((await app.open('/')).body).to.equal('Hello')
  })

  it('from passport', async () => {
    app = await startGuideApp(project, 'passport.ts')
    const profile = await app.open('/profile')
    expect([path(profile), profile.body]).to.deep.equal(['/profile', '{"id":"user of alice"}'])
    await app.open('/logout')
    app.server.misbehave('authorization-access-denied', { times: 1 })
    const refused = await app.open('/profile')
    expect(refused).to.include({ status: 403, body: 'That did not work.' })
  })

  it('from Auth.js', async () => {
    app = await startGuideApp(project, 'auth-js.ts')
    const unknown = await app.browser.request(`${app.origin}/projects`, { headers: script })
    expect(JSON.parse(unknown.body)).to.include({ status: 401, loginUrl: '/auth/signin' })
    const projects = await app.open('/auth/signin?returnTo=/projects')
    expect(projects.body).to.equal('{"sub":"alice","projects":["alice / diary"]}')
    const request = await app.server.received('authorization')
    expect(request.query.get('redirect_uri')).to.equal(`${app.origin}/auth/callback/company`)
    expect(request.query.get('scope')).to.equal('openid profile email')
    await app.open('/auth/signout')
    expect(
      (await app.browser.request(`${app.origin}/projects`, { headers: script })).status,
    ).to.equal(401)
  })
})
