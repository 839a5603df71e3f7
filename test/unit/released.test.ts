import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { KafkaMessage } from 'kafkajs'
import { BSON } from 'mongodb'
import { pino } from 'pino'
import { toLetter } from '../../src/commands/dead-letters/letter.ts'
import type { CacheDocument } from '../../src/contract/document.ts'
import type { StatusUpdate } from '../../src/contract/status-update.ts'
import { createDecoder } from '../../src/decode/decoder.ts'
import { merge } from '../../src/documents/merge.ts'
import { parseKeys } from '../../src/serve/access/keys-file.ts'
import { cursorOf, cursorText } from '../../src/serve/cursor.ts'
import { eventOfBytes } from '../../src/serve/event-view.ts'
import { positionOf, positionText } from '../../src/serve/live/position.ts'
import { encryptionKeys } from '../../src/settings/formats.ts'
import { createStatusCodec } from '../../src/status/codec.ts'
import { fold, type Head, headOf } from '../../src/status/fold.ts'
import { SUFFIX } from '../../src/status/heads/checkpoint.ts'
import { openHeadsOnDisk } from '../../src/status/heads/disk.ts'
import { markOf } from '../../src/status/restore.ts'
import { isOfLaterForm, pack, unpack } from '../../src/stream/packs.ts'
import { KEPT_SETTINGS, type Kept, type KeptRecord } from '../support/released.ts'

/** The bytes that releases wrote, read by what is here; and what is here before the bytes of a release to come. */
const FILES = readdirSync('test/unit/released')
const RELEASES = FILES.map((file) => JSON.parse(readFileSync(join('test/unit/released', file), 'utf8')) as Kept)

const bytesOf = (base64: string | null) => (base64 === null ? null : Buffer.from(base64, 'base64'))
const messageOf = ({ key, value, headers, offset, timestamp }: KeptRecord) => ({
  ...{ key: bytesOf(key), value: bytesOf(value), headers, offset, timestamp },
  ...{ attributes: 0, size: 0 },
})
const updateOf = (record: KeptRecord) => JSON.parse(String(bytesOf(record.value))) as StatusUpdate
const read = encryptionKeys(KEPT_SETTINGS.ENCRYPT_KEY)
const ENCRYPT_KEYS = 'value' in read ? read.value : []

/** The latest head of each key on a partition. */
function headsOf({ updates }: Kept, partition: number): Map<string, Head> {
  const own = updates.filter((record) => record.partition === partition)
  return new Map(own.map((record) => [String(bytesOf(record.key)), headOf(updateOf(record))]))
}

let stateDir: string
const said: string[] = []
const log = pino({ level: 'warn' }, { write: (line) => said.push(JSON.parse(line).reason) })

beforeEach(() => {
  said.length = 0
  stateDir = mkdtempSync(join(tmpdir(), 'released-'))
})
afterEach(() => rmSync(stateDir, { recursive: true }))

function putFiles({ heads }: Kept): void {
  for (const [path, base64] of Object.entries(heads)) {
    mkdirSync(dirname(join(stateDir, path)), { recursive: true })
    writeFileSync(join(stateDir, path), Buffer.from(base64, 'base64'))
  }
}

/** As on the day when they were written. */
function openHeads({ statusTopic, updates }: Kept, partition: number) {
  const now = () => Number(updates.at(-1)?.timestamp) + 60_000
  return openHeadsOnDisk({ stateDir, topic: statusTopic, partition, log, now })
}

describe.each(RELEASES.map((kept) => [kept.version, kept] as const))(
  'what release %s wrote is read as it was meant',
  (_, kept) => {
    test('heads on disk, up to a mark that is the record in the topic', () => {
      putFiles(kept)
      for (const partition of [0, 1]) {
        const heads = openHeads(kept, partition)
        const expected = headsOf(kept, partition)
        expect(expected.size).toBeGreaterThan(0)
        expect(heads.size).toBe(expected.size)
        for (const [key, head] of expected) expect(heads.get(key)).toEqual(head)
        const marked = kept.updates.find(
          (one) => one.partition === partition && BigInt(one.offset) === heads.mark?.offset,
        )
        expect(markOf(messageOf(marked as KeptRecord))).toEqual(heads.mark)
        heads.close()
      }
      expect(said).toEqual([])
    })

    test('packs of observations, and what is here writes the same bytes', () => {
      expect(kept.observations.length).toBeGreaterThan(0)
      for (const { value } of kept.observations) {
        const observations = unpack(bytesOf(value))
        expect(observations?.length).toBeGreaterThan(0)
        const again = pack(observations ?? [], 2).map((message) => String(message.value))
        expect(again).toEqual([String(bytesOf(value))])
      }
    })

    test('status updates, as heads that the next observation goes on from', async () => {
      const codec = await createStatusCodec(null, kept.statusTopic, createDecoder(null))
      const byKey = new Map<string, Head>()
      for (const record of kept.updates) {
        const update = updateOf(record)
        const key = String(bytesOf(record.key))
        expect(codec.decodeHead(bytesOf(record.value) as Buffer)).toEqual(headOf(update))
        const { at, ...own } = { ...update, key, at: Date.parse(update.occurred_at) }
        expect(fold(byKey.get(key), { ...own, at })).toEqual(update)
        byKey.set(key, headOf(update))
      }
      expect(byKey.size).toBeGreaterThan(5)
    })

    test('documents: what a merge, decryption and the API make of them', () => {
      const reading = { keys: ENCRYPT_KEYS, clock: null }
      let sealed = 0
      for (const base64 of kept.documents) {
        const bytes = Buffer.from(base64, 'base64')
        const document = BSON.deserialize(bytes) as CacheDocument
        expect(merge(document, document)).toEqual(document)
        if (String(bytes).includes('enc:kept:')) sealed++
        const { id, json, isGone } = eventOfBytes(bytes, reading)
        expect(isGone).toBe(kept.views[id] === undefined)
        // Fields may have come since.
        if (!isGone) expect(JSON.parse(json)).toMatchObject(kept.views[id] as object)
        expect(json).not.toContain('enc:kept:')
      }
      expect(sealed).toBeGreaterThan(0)
    })

    test('dead letters', () => {
      expect(kept.deadLetters.length).toBeGreaterThan(0)
      for (const record of kept.deadLetters) {
        const { headers } = record
        const letter = toLetter(0, messageOf(record) as unknown as KafkaMessage)
        expect(letter).toMatchObject({
          reason: headers.dead_letter_reason,
          message: headers.dead_letter_message,
          source: { topic: headers.dead_letter_source_topic, offset: headers.dead_letter_source_offset },
        })
      }
    })

    test('positions, cursors and API keys', () => {
      expect(positionText(positionOf(kept.position) ?? [])).toBe(kept.position)
      const cursor = cursorOf(kept.cursor)
      expect(cursor && cursorText(cursor)).toBe(kept.cursor)
      expect(parseKeys(JSON.stringify({ keys: [kept.entry] }))).toHaveProperty('keys.size', 1)
    })
  },
)

describe('what a later version may write is refused or discarded, never misread', () => {
  const kept = RELEASES.at(-1) as Kept

  test('heads of another format: a log line, and none of them', () => {
    putFiles(kept)
    const directory = join(stateDir, kept.statusTopic, '0')
    const table = readdirSync(directory).find((file) => file.endsWith(SUFFIX)) as string
    const bytes = readFileSync(join(directory, table))
    writeFileSync(join(directory, table), bytes.toString('latin1').replace('"heads 1 ', '"heads 2 '), 'latin1')
    const heads = openHeads(kept, 0)
    expect([heads.size, heads.mark]).toEqual([0, null])
    expect(said).toEqual([expect.stringMatching(/has the form "heads 2 \w+", which is not "heads 1 /)])
    heads.close()
  })

  test('heads of this format with frames of another behind them: up to these', () => {
    putFiles(kept)
    const directory = join(stateDir, kept.statusTopic, '0')
    const before = openHeads(kept, 0)
    const [size, mark] = [before.size, before.mark]
    before.close()
    const file = readdirSync(directory).find((name) => name.endsWith('.log')) as string
    const log = readFileSync(join(directory, file))
    const other = Buffer.from(log)
    other.writeUInt8((other[0] as number) + 1, 0)
    writeFileSync(join(directory, file), Buffer.concat([log, other]))
    const heads = openHeads(kept, 0)
    expect([heads.size, heads.mark]).toEqual([size, mark])
    heads.close()
  })

  test('heads in another place, or of another name: they are not seen', () => {
    putFiles(kept)
    renameSync(join(stateDir, kept.statusTopic), join(stateDir, `${kept.statusTopic}-2`))
    const heads = openHeads(kept, 0)
    expect(heads.size).toBe(0)
    heads.close()
  })

  test('a pack of another form is known for one, and for none that anybody may have sent', () => {
    expect(isOfLaterForm(Buffer.from('[2,"parkmobile.events",3]'))).toBe(true)
    expect(isOfLaterForm(Buffer.from('[17,{"rows":[]}]'))).toBe(true)
    for (const other of ['[1,"parkmobile.events"]', '["parkmobile.events",2,[]]', '[2]', '{"a":[2,3]}', '[-2,3]', '']) {
      expect(isOfLaterForm(Buffer.from(other))).toBe(false)
    }
    expect(isOfLaterForm(null)).toBe(false)
  })

  test('a status update with more fields and another kind: both stay in the head', async () => {
    const codec = await createStatusCodec(null, kept.statusTopic, createDecoder(null))
    const [first] = kept.updates as [KeptRecord]
    const { source, ...update } = updateOf(first)
    const charging = { status: 'plugged-in', occurred_at: update.occurred_at, event_id: 'e1' }
    const state = { ...update.state, charging }
    const later = { ...update, tariff: { id: 7 }, state, source, trace: 'x' }
    const head = codec.decodeHead(Buffer.from(JSON.stringify(later)))
    expect(head).toEqual({ revision: update.revision, state })
  })

  test('a status update without what a head is made of: its lane stops', async () => {
    const codec = await createStatusCodec(null, kept.statusTopic, createDecoder(null))
    for (const value of ['{"version":2}', '[2,"x"]', '{"revision":1,"state":{"session":["finished",1]}}'])
      expect(() => codec.decodeHead(Buffer.from(value))).toThrow()
  })

  test('a document with more in "cache": it is shown, and the newest record decides as before', () => {
    const bytes = Buffer.from(kept.documents[0] as string, 'base64')
    const document = BSON.deserialize(bytes) as CacheDocument
    const later = { ...document, cache: { ...document.cache, tariff: { id: 7 } } }
    expect(merge(document, document).cache.order).toBe(merge(later, document).cache.order)
    const { json } = eventOfBytes(BSON.serialize(later), { keys: [], clock: null })
    expect(JSON.parse(json)).toHaveProperty('cache.tariff.id', 7)
  })

  test('a value that is sealed in another way: it stays as it is', () => {
    const document = { _id: 'a', response: { plate: `enc2:kept:${'x'.repeat(60)}` } } as unknown as CacheDocument
    const dates = { createdAt: new Date(0), updatedAt: new Date(0) }
    const cache = { kind: 'session', status: null, sessionId: null, order: '', observedAt: new Date(0) }
    const bytes = BSON.serialize({ ...document, ...dates, cache })
    const { json } = eventOfBytes(bytes, { keys: ENCRYPT_KEYS, clock: null })
    expect(JSON.parse(json).response).toEqual(document.response)
  })

  test('positions, cursors and keys files of another form are told to be none', () => {
    for (const text of ['2~a.b', 'v2:a.b', '{"0":7}', 'A.B']) expect(positionOf(text)).toBeNull()
    for (const text of ['2~1795739560693 x', '{"at":1}', 'v2 1795739560693 x'])
      expect(cursorOf(Buffer.from(text).toString('base64url'))).toBeNull()
    const read = parseKeys(JSON.stringify({ keys: [{ ...(kept.entry as object), rate: 5 }] }))
    expect(read).toHaveProperty('problems.0.problem', expect.stringContaining('has "rate", which is none of'))
  })
})
