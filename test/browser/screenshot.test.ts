import { readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import type { Example } from '../../example-app/start-example.ts'
import { phone } from './accessibility.ts'
import { describeInChromium, openTab } from './chromium.ts'
import { startExample } from './example.ts'
import { logIn } from './person.ts'

const pictures = [
  { file: 'example-app.png', size: { width: 1280, height: 800 }, colorScheme: 'light' },
  { file: 'example-app-on-a-phone.png', size: phone, colorScheme: 'dark' },
] as const

/** Bytes of all of them. */
const largest = 150_000

const isTakenAnew = process.env.UPDATE_SCREENSHOTS === '1'

describeInChromium('Pictures of the example app; UPDATE_SCREENSHOTS=1 takes them anew', () => {
  let example: Example | undefined

  before(async () => {
    if (isTakenAnew) example = await startExample({ jobInterval: 0 })
  })

  after(() => example?.close())

  for (const { file, size, colorScheme } of pictures)
    it(`${file} is the signed-in page, ${size.width} pixels wide, ${colorScheme}`, async () => {
      if (example) {
        const page = await openTab({ viewport: size, colorScheme })
        await logIn(page, example, 'Ada Lovelace')
        await page.getByText('It ends in 15 minutes.').waitFor() // no port, no time of day
        await page.mouse.move(0, 0) // not over a button
        writeFileSync(pathOf(file), await page.screenshot({ animations: 'disabled' }))
      }
      const png = readFileSync(pathOf(file))
      const taken = { width: png.readUInt32BE(16), height: png.readUInt32BE(20) }
      expect(taken).to.deep.equal(size)
    })

  it('are small to load, all together', () => {
    const sizes = pictures.map(({ file }) => readFileSync(pathOf(file)).length)
    expect(sizes.reduce((sum, size) => sum + size)).to.be.below(largest)
  })

  it('are in the guide to the example app, and the first in the README', () => {
    const guide = readFileSync('docs/example-app.md', 'utf8')
    for (const { file } of pictures) expect(guide).to.include(`](images/${file})`)
    expect(readFileSync('README.md', 'utf8')).to.include(`](${pathOf(pictures[0].file)})`)
  })
})

function pathOf(file: string): string {
  return `docs/images/${file}`
}
