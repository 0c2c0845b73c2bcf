import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect } from 'chai'
import type { Example } from '../../example-app/start-example.ts'
import { describeInChromium, openTab } from './chromium.ts'
import { startExample } from './example.ts'
import { logIn } from './person.ts'

const file = 'docs/images/example-app.png'
const size = { width: 1000, height: 700 }

describeInChromium('The README’s picture of the example app', () => {
  let example: Example

  before(async () => {
    example = await startExample()
  })

  after(() => example.close())

  it('is the signed-in page, at twice its size; UPDATE_SCREENSHOTS=1 takes it anew', async () => {
    if (!existsSync(file) || process.env.UPDATE_SCREENSHOTS === '1') await takePicture()
    const png = readFileSync(file)
    expect({ width: png.readUInt32BE(16), height: png.readUInt32BE(20) }).to.deep.equal({
      width: 2 * size.width,
      height: 2 * size.height,
    })
  })

  async function takePicture() {
    const page = await openTab({ viewport: size, deviceScaleFactor: 2, colorScheme: 'light' })
    await logIn(page, example, 'Ada Lovelace')
    await page.getByText('It ends in 15 minutes.').waitFor()
    await page.mouse.move(0, 0) // not over a button
    const picture = await page.screenshot({ animations: 'disabled' })
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, picture)
  }
})
