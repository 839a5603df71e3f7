import { createHash, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Admin, IHeaders, KafkaMessage, Producer } from 'kafkajs'
import { pino } from 'pino'
import { DEAD_LETTER_HEADERS, type Reject } from '../../src/contract/dead-letter.ts'
import type { SourceRecord } from '../../src/contract/record.ts'
import { createCards } from '../../src/normalize/card-data.ts'
import { createKafka } from '../../src/stream/client.ts'
import { deadLetter, sendDeadLetters } from '../../src/stream/dead-letters.ts'
import { readToEnd } from '../../src/stream/read-to-end.ts'
import { createTopic } from '../../src/stream/topics.ts'
import { sharedServices } from '../support/services.ts'

const { brokers } = sharedServices()
const kafka = createKafka(
  { brokers, clientId: 'dead-letters-test', groupId: '', ssl: false, sasl: null },
  pino({ level: 'silent' }),
)
const cards = createCards({ tokenKey: 'a key for tests, of no other use', exemptPaths: [] })
const { cleanText } = cards
const reject: Reject = { reject: 'invalid_json', message: 'this is not JSON – mend its producer' }
const CARD = '4111111111111111'
const PARTITIONS = 3
type Letter = KafkaMessage & { partition: number }
let admin: Admin
let producer: Producer
let topic: string

beforeAll(async () => {
  admin = kafka.admin()
  producer = kafka.producer({ allowAutoTopicCreation: false })
  await Promise.all([admin.connect(), producer.connect()])
})
afterAll(() => Promise.all([admin.disconnect(), producer.disconnect()]))
beforeEach(() => {
  topic = `dead-letters-test-${randomUUID()}`
})

async function makeTopic(name: string, maxMessageBytes?: number): Promise<void> {
  const config = maxMessageBytes === undefined ? {} : { 'max.message.bytes': String(maxMessageBytes) }
  await createTopic(admin, name, PARTITIONS, config)
}

async function read(name: string): Promise<Letter[]> {
  const read: Letter[] = []
  await readToEnd({
    ...{ kafka, topic: name },
    onMessages: (partition, messages) => {
      for (const message of messages) read.push({ ...message, partition })
    },
  })
  return read
}

const recordOf = (note: Partial<SourceRecord> = {}): SourceRecord => ({
  ...{ topic: 'parkmobile.events', partition: 7, offset: '42', timestamp: 1_767_225_600_123 },
  ...{ key: Buffer.from('e1'), value: Buffer.from('{"event_id": "e1"'), headers: {} },
  ...note,
})
const letterOf = (record: SourceRecord) => deadLetter(record, reject, PARTITIONS, cards)
const digestOf = (value: Buffer) => `sha256:${createHash('sha256').update(value).digest('hex')}`
const text = (headers: IHeaders | undefined, name: keyof typeof DEAD_LETTER_HEADERS) =>
  headers?.[DEAD_LETTER_HEADERS[name]]?.toString()

/** The one dead letter that comes of a record, as a reader of the topic sees it. */
async function sent(record: SourceRecord, maxMessageBytes?: number): Promise<Letter> {
  await makeTopic(topic, maxMessageBytes)
  await sendDeadLetters(producer, topic, [letterOf(record)])
  const letters = await read(topic)
  expect(letters).toHaveLength(1)
  return letters[0] as (typeof letters)[0]
}

describe('a dead letter', () => {
  test('has the key, value and headers of its record byte for byte, and why and where from beside them', async () => {
    const source = `${topic}.source`
    await makeTopic(source)
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    const backwards = Buffer.from(bytes.toReversed())
    const headers = {
      traceparent: '00-abc',
      bytes,
      repeated: [Buffer.from([0xff, 0xfe]), Buffer.from('second')],
      empty: Buffer.alloc(0),
      none: null as unknown as Buffer,
      'naïve näme': 'ü😀',
    }
    await producer.send({ topic: source, messages: [{ key: bytes, value: backwards, headers, partition: 2 }] })
    const [original] = await read(source)
    const { partition, timestamp, headers: kept = {}, ...rest } = original as Letter
    const letter = await sent({
      ...recordOf(rest),
      topic: source,
      partition,
      timestamp: Number(timestamp),
      headers: kept,
    })
    expect(letter.key).toEqual(bytes)
    expect(letter.value).toEqual(backwards)
    expect(kept).toMatchObject({ bytes, repeated: headers.repeated, none: null })
    const told = {
      dead_letter_reason: 'invalid_json',
      dead_letter_message: 'this is not JSON – mend its producer',
      dead_letter_source_topic: source,
      dead_letter_source_partition: '2',
      dead_letter_source_offset: '0',
      dead_letter_source_timestamp: timestamp,
    }
    const toldBytes = Object.fromEntries(Object.entries(told).map(([name, said]) => [name, Buffer.from(said)]))
    expect(letter.headers).toEqual({ ...kept, ...toldBytes })
    expect(letter.partition).toBe(2)
  })

  test('of a record without key and value, or of no bytes, is without them too', async () => {
    const letter = await sent(recordOf({ key: null, value: null }))
    expect([letter.key, letter.value, text(letter.headers, 'digest')]).toEqual([null, null, undefined])
    topic += '-empty'
    const empty = await sent(recordOf({ value: Buffer.alloc(0) }))
    expect([empty.value, text(empty.headers, 'value')]).toEqual([Buffer.alloc(0), undefined])
  })

  test('stands on a partition that follows its source', () => {
    const partitions = [0, 1, 2, 3, 11].map((partition) => letterOf(recordOf({ partition })).partition)
    expect(partitions).toEqual([0, 1, 2, 0, 2])
  })

  test('has the card numbers of a text tokenised, and the digest of the original', async () => {
    const value = Buffer.from(`{"event_id": "e1", "note": "paid with ${CARD}", "zone_id": "953987654321"`)
    const letter = await sent(recordOf({ value }))
    expect(letter.value?.toString()).toBe(value.toString().replace(CARD, cleanText(CARD)))
    expect(cleanText(CARD)).toMatch(/^tok_[0-9a-f]{32}$/)
    expect([text(letter.headers, 'value'), text(letter.headers, 'digest')]).toEqual(['tokenised', digestOf(value)])
  })

  test('has no card number in its key and headers either, nor in their names', async () => {
    const binary = Buffer.concat([Buffer.from([0xff, 0]), Buffer.from(CARD)])
    const headers = {
      note: `of ${CARD}`,
      [`h-${CARD}`]: 'name',
      binary,
      several: [Buffer.from('kept'), binary],
      fine: '1',
    }
    const letter = await sent(recordOf({ key: Buffer.from(`card ${CARD}`), headers: headers as never }))
    const token = cleanText(CARD)
    expect(letter.key?.toString()).toBe(`card ${token}`)
    const { note, [`h-${token}`]: name, several, fine, ...rest } = letter.headers ?? {}
    expect([note, name, several, fine].map(String)).toEqual([`of ${token}`, 'name', 'kept', '1'])
    expect(Object.keys(rest).every((name) => name.startsWith('dead_letter_'))).toBe(true)
    expect([text(rest, 'key'), text(rest, 'headers'), text(rest, 'value')]).toEqual([
      'tokenised',
      'withheld',
      undefined,
    ])
    topic += '-dropped'
    const dropped = await sent(recordOf({ headers: { cvv: '123', track2: `;${CARD}=2712`, fine: '1' } }))
    expect(Object.keys(dropped.headers ?? {}).filter((name) => !name.startsWith('dead_letter_'))).toEqual(['fine'])
    expect(text(dropped.headers, 'headers')).toBe('withheld')
    topic += '-binary'
    const withheld = await sent(recordOf({ key: binary }))
    expect([withheld.key?.toString(), text(withheld.headers, 'key')]).toEqual([digestOf(binary), 'withheld'])
  })

  test('goes without a binary value that shows a card number, with the digest', async () => {
    const value = Buffer.concat([Buffer.from([0, 0, 0, 0, 9, 32]), Buffer.from(CARD), Buffer.from([0xff, 0])])
    const letter = await sent(recordOf({ value }))
    expect(letter.value).toBeNull()
    expect([text(letter.headers, 'value'), text(letter.headers, 'digest')]).toEqual(['withheld', digestOf(value)])
    expect(text(letter.headers, 'reason')).toBe('invalid_json')
  })
})

describe('a dead letter that is too large for its topic', () => {
  const LIMIT = 4_000
  const large = Buffer.from('x'.repeat(LIMIT))

  test('goes without its value, with the digest and where to find it', async () => {
    const record = recordOf({ value: large, headers: { traceparent: '00-abc' } })
    const letter = await sent(record, LIMIT)
    expect([letter.key, letter.value]).toEqual([record.key, null])
    expect(letter.headers?.traceparent?.toString()).toBe('00-abc')
    expect([text(letter.headers, 'value'), text(letter.headers, 'digest')]).toEqual(['withheld', digestOf(large)])
    expect([text(letter.headers, 'topic'), text(letter.headers, 'partition'), text(letter.headers, 'offset')]).toEqual([
      'parkmobile.events',
      '7',
      '42',
    ])
  })

  test('still has the digest of the original when its card numbers were tokenised before', async () => {
    const value = Buffer.from(`{"card": "${CARD}", "note": "${large}"`)
    const letter = await sent(recordOf({ value }), LIMIT)
    expect(letter.value).toBeNull()
    expect([text(letter.headers, 'value'), text(letter.headers, 'digest')]).toEqual(['withheld', digestOf(value)])
  })

  test('does not take along those that are sent with it', async () => {
    await makeTopic(topic, LIMIT)
    const records = Array.from({ length: 12 }, (_, offset) =>
      recordOf({
        ...{ partition: offset % 2, offset: String(offset) },
        value: offset === 5 ? large : Buffer.from(`{"event_id": ${offset} ${'y'.repeat(900)}`),
      }),
    )
    await sendDeadLetters(producer, topic, records.map(letterOf))
    const letters = await read(topic)
    for (const { value, offset } of records) {
      const mine = letters.filter(({ headers }) => text(headers, 'offset') === offset)
      expect([offset, mine.length > 0]).toEqual([offset, true])
      for (const letter of mine) expect(letter.value).toEqual(offset === '5' ? null : value)
    }
  })
})
