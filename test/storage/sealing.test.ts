import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { createRecordStore, type RecordStore } from '../../src/storage/record-store.ts'
import { createSealing, type SealBinding } from '../../src/storage/sealing.ts'
import { overTokenStore } from '../../src/storage/token-store.ts'
import { answerUrl, json, program } from '../http/steps.ts'
import { logIn } from '../protocol/attempt.ts'
import { type RunningApp, startApp } from '../support/app.ts'
import { createBrowser } from '../support/browser.ts'
import { printedBy } from '../support/output.ts'
import { rows } from '../support/rows.ts'

const keys = [randomBytes(32), randomBytes(32)] as const
const [key, otherKey] = keys
const binding: SealBinding = { kind: 'xx.', flow: 'flow', key: 'a'.repeat(32), expiresAt: 1e12 }
const secret = 'S3cr3t-that-was-stored'
const content = { tokens: { accessToken: secret, list: ['a', 1, null] } }

describe('sealing', () => {
  const sealing = createSealing([key])

  it('opens what it sealed', () => {
    expect(sealing.open(sealing.seal(content, binding), binding)).to.deep.equal(content)
    expect(sealing.open(sealing.seal({}, binding), binding)).to.deep.equal({})
  })

  it('opens what this version sealed when it was written', () => {
    const sealed =
      'XTRXr_vjvJiu-UCd95E0gnsQiPV6_MOgYZi1Nffanzqaw4f5DvS1xF8Vj0lMRCT7CNG0Pb6E5SWOkWyubQ'
    const written = createSealing([Uint8Array.from({ length: 32 }, (_, index) => index)])
    const bound = { ...binding, expiresAt: 1_700_000_000_000 }
    expect(written.open(sealed, bound)).to.deep.equal({ hello: 'world' })
  })

  it('seals the same to another text each time, and shows nothing of it', () => {
    const sealed = Array.from({ length: 50 }, () => sealing.seal(content, binding))
    // Iv, tag and first bytes: no two alike. The salt is another one in each process.
    for (const part of [16, 28, 44]) {
      const parts = sealed.map((text) =>
        Buffer.from(text, 'base64url')
          .subarray(part, part + 12)
          .toString('hex'),
      )
      expect(new Set(parts).size).to.equal(50)
    }
    for (const text of sealed) {
      expect(text).to.match(/^[\w-]+$/)
      expect(Buffer.from(text, 'base64url').includes(secret)).to.equal(false)
    }
  })

  it('seals in every process under another derived key', () => {
    const same = [randomBytes(32)]
    const salts = [1, 2, 3].map(() =>
      Buffer.from(createSealing(same).seal(content, binding), 'base64url').toString('hex', 0, 16),
    )
    expect(new Set(salts).size).to.equal(3)
  })

  for (const [part, value] of Object.entries({
    kind: 'yy.',
    flow: 'other',
    key: 'b'.repeat(32),
    expiresAt: 1e12 + 1,
  }))
    it(`opens nothing with another ${part}`, () => {
      const sealed = sealing.seal(content, binding)
      expect(sealing.open(sealed, { ...binding, [part]: value })).to.equal(undefined)
    })

  it('opens nothing if characters move from one part of the binding to the next', () => {
    const sealed = sealing.seal(content, { ...binding, kind: 'a.', flow: 'b' })
    for (const moved of [
      { kind: 'a', flow: '.b' },
      { kind: 'a.b', flow: '' },
      { kind: 'a.","b', flow: '' },
    ])
      expect(sealing.open(sealed, { ...binding, ...moved })).to.equal(undefined)
  })

  it('opens nothing that was changed by one bit, wherever it is', () => {
    const bytes = Buffer.from(sealing.seal({ a: 1 }, binding), 'base64url')
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = Buffer.from(bytes)
      changed.writeUInt8(changed.readUInt8(index) ^ 1, index)
      expect(sealing.open(changed.toString('base64url'), binding), String(index)).to.equal(
        undefined,
      )
    }
  })

  it('opens nothing that is shorter or longer, to the last byte', () => {
    const bytes = Buffer.from(sealing.seal({}, binding), 'base64url')
    for (let length = 0; length < bytes.length; length += 1)
      expect(sealing.open(bytes.subarray(0, length).toString('base64url'), binding)).to.equal(
        undefined,
      )
    const longer = Buffer.concat([bytes, Buffer.alloc(1)])
    expect(sealing.open(longer.toString('base64url'), binding)).to.equal(undefined)
  })

  it('opens nothing that is no text', () => {
    for (const value of [undefined, null, 5, {}, [], content, ['text'], Buffer.alloc(60), '', 'x'])
      expect(sealing.open(value, binding)).to.equal(undefined)
  })

  it('takes several keys: the first one seals, all open', () => {
    const before = createSealing([key])
    const added = createSealing([key, otherKey])
    const changed = createSealing([otherKey, key])
    const after = createSealing([otherKey])
    const [old, middle, recent] = [before, added, changed].map((each) =>
      each.seal(content, binding),
    )
    for (const [sealed, opening] of [
      [old, [before, added, changed]],
      [middle, [before, added, changed]],
      [recent, [added, changed, after]],
    ] as const)
      for (const each of opening) expect(each.open(sealed, binding)).to.deep.equal(content)
    expect(after.open(middle, binding)).to.equal(undefined)
    expect(before.open(recent, binding)).to.equal(undefined)
  })

  it('needs a key', () => {
    expect(() => createSealing([])).to.throw()
  })
})

describe('sealed records', () => {
  type Row = Record<string, unknown>

  const id = 'a'.repeat(32)
  const [mine, others] = [createSealing([key]), createSealing([otherKey])]
  let stored: Map<string, Row>

  beforeEach(() => {
    stored = new Map()
  })

  const records = (sealing: typeof mine | undefined, kind = 'xx.' as const, flow = 'flow') =>
    createRecordStore(overTokenStore(stored), kind, flow, sealing)

  /** Reads several times; what comes of it, and what was said. */
  async function read(from: RecordStore, at = id, times = 1) {
    const found: unknown[] = []
    const said = await printedBy(async () => {
      for (let time = 0; time < times; time += 1) found.push((await from.get(at))?.content)
    })
    return { found: found[0], said, warnings: said.split('PKCE_FLOW_SEALED_RECORD').length - 1 }
  }

  it('are got as they were set, and nothing of them can be read in the store', async () => {
    await records(mine).set(id, content, 60_000)
    expect(await read(records(mine))).to.deep.equal({ found: content, said: '', warnings: 0 })
    const [[storeKey, row] = []] = stored
    expect(storeKey).to.equal(`xx.${id}`)
    expect(row).to.have.all.keys('content', 'version', 'flow', 'expiresAt')
    expect(row!.content).to.be.a('string')
    expect(JSON.stringify(row)).not.to.match(/S3cr3t|accessToken/)
  })

  const swaps: [string, () => Promise<RecordStore>, string?][] = [
    [
      'moved to another kind',
      () => {
        stored.set(`yy.${id}`, stored.get(`xx.${id}`)!)
        return Promise.resolve(
          createRecordStore(overTokenStore(stored), 'yy.', 'flow', createSealing([key])),
        )
      },
    ],
    [
      'given to another flow',
      () => {
        stored.get(`xx.${id}`)!.flow = 'other'
        return Promise.resolve(records(createSealing([key]), 'xx.', 'other'))
      },
    ],
    [
      'moved to another key',
      () => {
        stored.set(`xx.${'b'.repeat(32)}`, stored.get(`xx.${id}`)!)
        return Promise.resolve(records(mine))
      },
      'b'.repeat(32),
    ],
    [
      'made to live longer',
      () => {
        const row = stored.get(`xx.${id}`)!
        row.expiresAt = (row.expiresAt as number) + 1_000
        return Promise.resolve(records(mine))
      },
    ],
    [
      'with content that another record has',
      async () => {
        await records(mine).set('c'.repeat(32), { tokens: 'other' }, 60_000)
        stored.get(`xx.${id}`)!.content = stored.get(`xx.${'c'.repeat(32)}`)!.content
        return records(mine)
      },
    ],
  ]
  for (const [what, swap, at] of swaps)
    it(`are none if somebody with access to the store had them ${what}`, async () => {
      await records(mine).set(id, content, 60_000)
      const { found, warnings } = await read(await swap(), at)
      expect({ found, warnings }).to.deep.equal({ found: undefined, warnings: 1 })
    })

  const foreign: [string, typeof mine | undefined, typeof mine | undefined, RegExp][] = [
    ['sealed with a key that is not known', others, mine, /none of the encryptionKeys.*old key/],
    ['not sealed, where they have to be', undefined, mine, /not sealed.*logs in again/],
    ['sealed, where there are no keys', mine, undefined, /no encryptionKeys.*the same/],
  ]
  for (const [what, writer, reader, remedy] of foreign)
    it(`are none if they are ${what}, which is said once`, async () => {
      await records(writer).set(id, content, 60_000)
      const store = records(reader)
      const { found, said, warnings } = await read(store, id, 3)
      expect({ found, warnings }).to.deep.equal({ found: undefined, warnings: 1 })
      expect(said).to.match(remedy)
      expect(said).not.to.match(/S3cr3t/)
      for (const each of keys) expect(said).not.to.include(each.toString('base64url'))
      expect((await read(store)).said).to.equal('')
      expect((await read(records(reader))).warnings).to.equal(1)
    })

  it('of another flow, expired, or not there: nothing is said about these', async () => {
    await records(others, 'xx.', 'other').set(id, content, 60_000)
    expect(await read(records(mine))).to.deep.equal({ found: undefined, said: '', warnings: 0 })
    await records(others).set(id, content, -1)
    expect((await read(records(mine))).said).to.equal('')
    expect((await read(records(mine), 'd'.repeat(32))).said).to.equal('')
  })

  it('can be replaced by a process that cannot read them', async () => {
    await records(others).set(id, content, 60_000)
    await records(mine).set(id, { tokens: 'new' }, 60_000)
    expect((await read(records(mine))).found).to.deep.equal({ tokens: 'new' })
  })
})

describe('an app with encryptionKeys', () => {
  let app: RunningApp

  beforeEach(async () => {
    app = await startApp({ flow: { encryptionKeys: [key.toString('base64url')] } })
  })

  afterEach(() => app.close())

  it('seals every kind of record, and nothing of them can be read in its store', async () => {
    const browser = createBrowser()
    const answer = await answerUrl(app, browser)
    const started = await rows(app.store)
    await browser.open(answer)
    const finished = await rows(app.store)
    await browser.open(app.url('/logout'))
    const ended = await rows(app.store)
    expect(json(await browser.request(app.url('/')))).to.include({ sub: null })

    const ours = [started, finished, ended].flatMap(({ pending, tokens }) => [
      ...pending,
      ...tokens,
    ])
    expect(ours.map(({ key: each }) => each.slice(0, 3))).to.include.members(['pl.', 'tr.'])
    for (const { content: row } of ours) expect(row.content).to.match(/^[\w-]+$/)
    const { accessToken, refreshToken } = app.server.issued[0]!
    const text = JSON.stringify([started, finished, ended])
    for (const each of [accessToken, refreshToken, 'codeVerifier', 'accessToken', 'alice'])
      expect(text).not.to.include(each)
  })

  it('takes the records of before for none: its users log in again', async () => {
    const before = await startApp({ server: app.server, store: app.store })
    try {
      const browser = await logIn(before)
      const after = await startApp({
        server: app.server,
        store: app.store,
        flow: { redirectUri: before.url('/callback'), encryptionKeys: [key] },
      })
      const said = await printedBy(async () => {
        const page = await browser.request(after.url('/token'), { headers: program })
        expect(page.status).to.equal(401)
      })
      await after.close()
      expect(said).to.include('PKCE_FLOW_SEALED_RECORD')
    } finally {
      await before.close()
    }
  })
})
