import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry'
import avsc, { type Schema } from 'avsc'
import type { Message } from 'kafkajs'
import { BSON, MongoClient } from 'mongodb'
import { MAIN } from '../../local/build.ts'
import { startService } from '../../local/native/process.ts'
import { freePorts } from '../../local/ports.ts'
import { quietKafka } from '../../local/quiet-kafka.ts'
import type { Services } from '../../local/services.ts'
import type { RecordType } from '../../src/contract/record.ts'
import { createRandom, type Random } from '../../src/simulate/random.ts'
import { readTopic } from './judge.ts'
import { watchProgress } from './progress.ts'
import { newRunNames, type RunNames } from './run-names.ts'
import { makeTopics } from './run-topics.ts'

/**
 * A hunt for card numbers: records that hide them wherever a record can hold one, in JSON and in Avro, go through the real
 * program; then everything that it wrote, and that others wrote because of it, is looked through for them.
 */
export interface Hunt {
  records: number
  /** Records in Avro, and documents that came of one. */
  avro: number
  avroDocuments: number
  /** Card numbers that were hidden. */
  cards: number
  /** Bytes that were looked through, by where. */
  searched: Record<string, number>
  /** Where card numbers were found, and in what they had been hidden. */
  found: string[]
  /** Opaque ids of 13 to 19 digits that were stored, and those of them that were taken for a card. */
  ids: number
  harmed: number
}

/** @param services with a schema registry */
export async function huntForCards(services: Services, records: number, seed: string): Promise<Hunt> {
  const names = newRunNames('hunt')
  const schemas = await registerSchemas(services.env.SCHEMA_REGISTRY_URL as string, names)
  const hidden = hide(records, createRandom(seed), schemas)
  await makeTopics(services.env.KAFKA_BROKERS, names, { inputPartitions: 3, lanes: 3 })
  await send(services, names, hidden.messages)
  const avro = hidden.messages.filter(({ message }) => isFramed(message.value)).length
  const hunt: Hunt = {
    ...{ records, avro, avroDocuments: 0, cards: hidden.cards.size, searched: {}, found: [] },
    ...{ ids: 0, harmed: 0 },
  }
  const look: Look = (where, what) => {
    hunt.searched[where] = (hunt.searched[where] ?? 0) + what.length
    for (const card of cardsIn(what, hidden.cards)) hunt.found.push(`${where}: ${hidden.cards.get(card)}`)
  }
  await work(services, names, look)
  await lookAtTopics(services, names, look)
  lookAtFiles(services, names, look)
  await lookAtDocuments(services, names, hidden.ids, hunt, look)
  return hunt
}

type Look = (where: string, what: string) => void

async function lookAtTopics(services: Services, names: RunNames, look: Look): Promise<void> {
  for (const topic of [names.OBSERVATIONS_TOPIC, names.STATUS_TOPIC, names.DEAD_LETTER_TOPIC]) {
    const where = topic.slice(topic.indexOf('.') + 1)
    const transactional = topic === names.STATUS_TOPIC
    for await (const { key, value, headers } of readTopic(services.env.KAFKA_BROKERS, topic, { transactional })) {
      for (const part of [key, value]) if (part !== null) look(where, part.toString('latin1'))
      if (isFramed(value)) look(`numbers in Avro in ${where}`, numbersIn(value))
      look('headers', JSON.stringify(headers))
    }
  }
}

/** All but the input topics, which hold what was sent. */
function lookAtFiles({ directory }: Services, names: RunNames, look: Look): void {
  const inputs = [names.EVENTS_TOPICS, names.RESPONSES_TOPICS]
  for (const file of filesOf(directory)) {
    if (inputs.some((topic) => file.includes(topic))) continue
    look(file.includes('mongodb') ? "MongoDB's files" : "Kafka's files and the logs", readFileSync(file, 'latin1'))
  }
}

async function lookAtDocuments(
  services: Services,
  names: RunNames,
  ids: ReadonlySet<string>,
  hunt: Hunt,
  look: Look,
): Promise<void> {
  const client = new MongoClient(services.env.MONGODB_URI, { promoteLongs: false })
  for await (const document of client.db(names.MONGODB_DATABASE).collection(names.MONGODB_COLLECTION).find()) {
    const text = BSON.EJSON.stringify(document, { relaxed: true })
    look('documents', text)
    if (String(document._id).startsWith('avro-')) hunt.avroDocuments++
    const id = /"order_id":"?(\w+)/.exec(text)?.[1]
    if (id !== undefined) hunt.ids++
    if (id !== undefined && !ids.has(id)) hunt.harmed++
  }
  for await (const entry of client.db('local').collection('oplog.rs').find()) look('oplog', BSON.EJSON.stringify(entry))
  await client.close()
}

/** Known cards in a text, whatever stands between their digits, also in what it holds as base64. */
function* cardsIn(text: string, cards: ReadonlyMap<string, string>): Generator<string> {
  yield* plainCardsIn(text, cards)
  for (const [run] of text.matchAll(/[\w+/-]{18,}/g))
    yield* plainCardsIn(Buffer.from(run, 'base64').toString('latin1'), cards)
}

function* plainCardsIn(text: string, cards: ReadonlyMap<string, string>): Generator<string> {
  for (const [run] of text.replaceAll(/%20|\\+t/g, ' ').matchAll(/\d(?:[^0-9A-Za-z]{0,9}\d){12,}/g)) {
    const digits = run.replace(/\D/g, '')
    for (let start = 0; start + 13 <= digits.length; start++) {
      for (let length = 13; length <= 19; length++) {
        const part = digits.slice(start, start + length)
        if (part.length === length && cards.has(part)) yield part
      }
    }
  }
}

function filesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

async function send(services: Services, names: RunNames, messages: Hidden[]): Promise<void> {
  const producer = quietKafka(services.env.KAFKA_BROKERS, 'hunt').producer({ allowAutoTopicCreation: false })
  await producer.connect()
  for (let from = 0; from < messages.length; from += 1_000) {
    const chunk = messages.slice(from, from + 1_000)
    for (const type of ['event', 'response'] as const) {
      const topic = type === 'event' ? names.EVENTS_TOPICS : names.RESPONSES_TOPICS
      const mine = chunk.filter((one) => one.type === type)
      await producer.send({ topic, messages: mine.map(({ message }) => message) })
    }
  }
  await producer.disconnect()
}

async function work(services: Services, names: RunNames, look: Look): Promise<void> {
  await using progress = await watchProgress(services.env.KAFKA_BROKERS, names)
  const [port] = (await freePorts(1)) as [number]
  const address = `http://127.0.0.1:${port}`
  const program = await startService({
    ...{ name: 'the processor', command: process.execPath, args: [MAIN, 'process'], cwd: services.directory, address },
    env: {
      ...{ KAFKA_BROKERS: services.env.KAFKA_BROKERS, MONGODB_URI: services.env.MONGODB_URI, ...names },
      ...{ CARD_TOKEN_KEY: 'a key for tests, of no other use', HTTP_PORT: String(port), LOG_LEVEL: 'trace' },
      SCHEMA_REGISTRY_URL: services.env.SCHEMA_REGISTRY_URL as string,
      STATE_DIR: join(services.directory, 'state'),
    },
    log: join(services.directory, 'processor.log'),
    answers: async () => (await fetch(`${address}/readyz`)).ok,
  })
  await progress.caughtUp(600_000)
  look('metrics', await (await fetch(`${address}/metrics`)).text())
  await program.stop()
}

interface Hidden {
  type: RecordType
  message: Message
}

/** Prefixes of the networks, with a length that they issue. */
const NETWORKS = ['4/16', '4/13', '4/19', '51/16', '2221/16', '34/15', '37/15', '6011/16', '36/14'] as const
const MORE = ['3528/16', '62/16', '62/19', '50/13', '6759/18'] as const

function newCard(random: Random): string {
  const [prefix = '', length] = random.pick([...NETWORKS, ...MORE]).split('/')
  let body = prefix
  while (body.length < Number(length) - 1) body += random.int(0, 9)
  const sum = [...body].reverse().reduce((total, digit, place) => {
    const value = place % 2 === 0 ? Number(digit) * 2 : Number(digit)
    return total + (value > 9 ? value - 9 : value)
  }, 0)
  return body + ((10 - (sum % 10)) % 10)
}

/** The number in groups as cards of its length have them. */
function groups(digits: string, between: string): string {
  const widths = digits.length === 15 ? [4, 6, 5] : digits.length === 14 ? [4, 6, 4] : [4, 4, 4, 4, 3]
  const parts = widths.map((width, i) => {
    const start = widths.slice(0, i).reduce((sum, one) => sum + one, 0)
    return digits.slice(start, start + width)
  })
  return parts.filter((part) => part !== '').join(between)
}

const BLANKS_AND_HYPHENS = [' ', '-', '\u00a0', '\u202f', '–', '\u2011'] as const
/** What people and programs write between groups; of numbers that have no groups only the former are known. */
const BETWEEN_GROUPS = ['.', '_', '/', '\\', '+', '%20', '\t', '  ', ' - ', ' – '] as const

type Place = (text: string, digits: string, base: Record<string, unknown>) => Message

const json = (value: unknown): Message => ({ key: null, value: JSON.stringify(value) })
const rawNumber = (base: object, number: string): Message => ({
  key: null,
  value: JSON.stringify({ ...base, payload: '?' }).replace('"?"', number),
})
const escaped = (digits: string) => [...digits].map((digit) => `\\u003${digit}`).join('')

/** Everywhere a record can hold one. */
const PLACES: Record<string, Place> = {
  card: (text, _, base) => json({ ...base, card: text }),
  'card as a number': (_, digits, base) => rawNumber({ ...base, card: undefined }, `{"card":${digits}}`),
  zone: (text, _, base) => json({ ...base, zone_id: text }),
  status: (text, _, base) => json({ ...base, status: text }),
  'event type': (text, _, base) => json({ ...base, event_type: text }),
  session: (text, _, base) => json({ ...base, session_data: { session_id: text } }),
  'event id': (text, _, base) => json({ ...base, event_id: text }),
  'a sentence': (text, _, base) => json({ ...base, note: `paid with card no. ${text}, thank you` }),
  'an address': (text, _, base) => json({ ...base, url: `https://pay.example/?pan=${text}&x=1` }),
  nested: (text, _, base) => json({ ...base, session_data: { a: [{ b: [[{ c: text }]] }] } }),
  'a key': (text, _, base) => json({ ...base, session_data: { [text]: 1, deep: { [`of ${text}`]: [] } } }),
  'JSON in a string': (text, _, base) => json({ ...base, raw: JSON.stringify({ pan: text, n: [text] }) }),
  'JSON in JSON in a string': (text, _, base) => json({ ...base, raw: JSON.stringify(JSON.stringify({ pan: text })) }),
  'an error': (text, _, base) =>
    json({ ...base, http_status: 400, response: { errors: [{ message: `card ${text} declined`, code: 21 }] } }),
  'a line of JSON in a string': (text, _, base) =>
    json({ ...base, raw: JSON.stringify({ lines: `paid with\n${text}\n` }) }),
  'an address in an address': (_, digits, base) =>
    json({
      ...base,
      url: `https://a.example/?to=${encodeURIComponent(`https://b.example/?pan=${hasGroups(digits) ? groups(digits, ' ') : digits}`)}`,
    }),
  'base64 in a sentence': (text, _, base) =>
    json({ ...base, note: `sent ${Buffer.from(text).toString('base64')}, bye` }),
  'base64 without padding': (text, _, base) => json({ ...base, raw: Buffer.from(`of ${text}`).toString('base64url') }),
  payload: (text, _, base) => json({ ...base, payload: [text, { user: text }], user_id: text }),
  'a number': (_, digits, base) => rawNumber(base, digits),
  'a number with a fraction': (_, digits, base) => rawNumber(base, `${digits}.0`),
  'a number with an exponent': (_, digits, base) =>
    rawNumber(base, `${digits[0]}.${digits.slice(1)}e${digits.length - 1}`),
  escapes: (_, digits, base) => ({
    key: null,
    value: JSON.stringify({ ...base, n: '?' }).replace('?', escaped(digits)),
  }),
  "Kafka's key": (text, _, base) => ({ key: text, value: JSON.stringify({ ...base, event_id: undefined }) }),
  'the key of a tombstone': (text) => ({ key: text, value: null }),
  'a header of a dead letter': (text) => ({
    key: 'k',
    value: '{',
    headers: { [`x-${text}`]: text, note: `of ${text}` },
  }),
  'the key of a dead letter': (text) => ({ key: text, value: '{' }),
  'broken JSON': (text) => ({ key: 'k', value: `{"event_id": "e", "card": "${text}", "cvv": "123"` }),
  'a number in broken JSON': (_, digits) => ({ key: 'k', value: `{"event_id": "e", "card": ${digits}, ` }),
  'escapes in broken JSON': (_, digits) => ({ key: 'k', value: `{"card": "${escaped(digits)}"` }),
  'bytes that are no text': (text) => ({
    key: 'k',
    value: Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text)]),
  }),
  'an unknown encoding': (text) => ({
    key: 'k',
    value: Buffer.concat([Buffer.from([0, 0, 0, 0, 9, 8]), Buffer.from(text)]),
  }),
  'UTF-16': (text) => ({ key: 'k', value: Buffer.from(JSON.stringify({ card: text }), 'utf16le') }),
  'what is no object': (text) => json([text]),
  'what is too deep': (text) => ({ key: 'k', value: `{"a":${'['.repeat(200)}"${text}"${']'.repeat(200)}}` }),
}

/** What goes into a field of an Avro schema; bigint is a long. */
type AvroValue = string | bigint | null

interface Schemas {
  /** A record of `schemas/<type>.avsc`; fields that it does not have are left out. */
  ours(type: RecordType, fields: Record<string, AvroValue>): Buffer
  /** A record of a schema that a producer made for itself. */
  own(base: AvroBase, charge: Partial<typeof CHARGE>): Buffer
}

const isFramed = (value: Message['value']): value is Buffer => Buffer.isBuffer(value) && value[0] === 0

/** A long of 64 bits, which avsc by itself does not have. */
const LONG = avsc.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const buffer = Buffer.alloc(8)
    buffer.writeBigInt64LE(value)
    return buffer
  },
  ...{ fromJSON: BigInt, toJSON: Number, isValid: (value: unknown) => typeof value === 'bigint' },
  compare: (a: bigint, b: bigint) => (a === b ? 0 : a < b ? -1 : 1),
})

/** Every kind of place that a schema can make, within `response`, which documents keep of events and of responses. */
const OWN_SCHEMA = {
  ...{ type: 'record', name: 'Notice', namespace: 'hunt' },
  fields: [
    { name: 'event_id', type: 'string' },
    { name: 'event_type', type: 'string' },
    { name: 'timestamp', type: 'long' },
    { name: 'response', type: { type: 'record', name: 'Charge', fields: fieldsOfCharge() } },
  ],
}

function fieldsOfCharge() {
  const payment = [
    { name: 'pan', type: 'string' },
    { name: 'number', type: 'long' },
    { name: 'ratio', type: 'double' },
  ]
  return [
    { name: 'order_id', type: 'string' },
    { name: 'payment', type: { type: 'record', name: 'Payment', fields: payment } },
    { name: 'list', type: { type: 'array', items: ['null', 'long', 'string'] } },
    { name: 'words', type: { type: 'map', values: 'string' } },
    { name: 'counts', type: { type: 'map', values: { type: 'array', items: 'long' } } },
    { name: 'raw', type: 'bytes' },
    { name: 'block', type: { type: 'fixed', name: 'Block', size: 40 } },
    { name: 'amount', type: { type: 'bytes', logicalType: 'decimal', precision: 30, scale: 2 } },
  ]
}

const PAYMENT = { pan: '', number: 0n, ratio: 0 }
const CHARGE = {
  ...{ payment: PAYMENT, list: [], words: {}, counts: {} },
  ...{ raw: Buffer.from([7]), block: Buffer.alloc(40), amount: Buffer.from([7]) },
}

async function registerSchemas(url: string, names: RunNames): Promise<Schemas> {
  const registry = new SchemaRegistry({ host: url })
  const open = async (subject: string, schema: object) => {
    const { id } = await registry.register({ type: SchemaType.AVRO, schema: JSON.stringify(schema) }, { subject })
    const type = avsc.Type.forSchema(schema as Schema, { registry: { long: LONG }, wrapUnions: true })
    return (value: object) => Buffer.concat([framing(id), type.toBuffer(value)])
  }
  const schemaOf = (type: RecordType) =>
    JSON.parse(readFileSync(new URL(`../../schemas/${type}.avsc`, import.meta.url), 'utf8'))
  const event = await open(`${names.EVENTS_TOPICS}-value`, schemaOf('event'))
  const response = await open(`${names.RESPONSES_TOPICS}-value`, schemaOf('response'))
  const own = await open(`${names.EVENTS_TOPICS}-own`, OWN_SCHEMA)
  return {
    ours: (type, fields) => (type === 'event' ? event : response)(withBranches(fields)),
    own: ({ event_id, order_id }, charge) => {
      const usual = { event_id, event_type: 'parking_start', timestamp: BigInt(Date.UTC(2026, 10, 1, 12)) }
      return own({ ...usual, response: { ...CHARGE, order_id, ...charge } })
    },
  }
}

function framing(id: number): Buffer {
  const bytes = Buffer.alloc(5)
  bytes.writeInt32BE(id, 1)
  return bytes
}

/** All our fields but the id are unions, of which avsc wants to know the branch. */
function withBranches({ event_id, ...fields }: Record<string, AvroValue>) {
  const branch = (value: AvroValue) => value && { [typeof value === 'bigint' ? 'long' : 'string']: value }
  return { event_id, ...Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, branch(value)])) }
}

/** What hides in Avro is told by the type of the record, since each has its schema. */
type AvroPlace = (text: string, digits: string, base: AvroBase, schemas: Schemas, type: RecordType) => Message

interface AvroBase {
  event_id: string
  /** An id that is no card number. */
  order_id: string
}

const ours =
  (fields: (text: string, digits: string) => Record<string, AvroValue>): AvroPlace =>
  (text, digits, { event_id, order_id }, schemas, type) => {
    const usual = { event_id, timestamp: '2026-11-01T12:00:00Z', event_type: 'parking_start' }
    const body = { payload: JSON.stringify({ order_id }) }
    return { key: null, value: schemas.ours(type, { ...usual, ...body, ...fields(text, digits) }) }
  }
const own =
  (charge: (text: string, digits: string) => object): AvroPlace =>
  (text, digits, base, schemas) => ({ key: null, value: schemas.own(base, charge(text, digits)) })
/** In each field of JSON text that the type has. */
const jsonText = (json: (text: string, digits: string) => string) =>
  ours((text, digits) => ({ session_data: json(text, digits), response: json(text, digits) }))

const AVRO_PLACES: Record<string, AvroPlace> = {
  'Avro card': ours((card) => ({ card })),
  'Avro text fields': ours((text) => ({ zone_id: `Z ${text}`, endpoint: `/cards/${text}`, method: text })),
  'Avro status': ours((text) => ({ status: text, http_status: `E ${text}` })),
  'Avro event type': ours((text) => ({ event_type: text })),
  'Avro event id': ours((text) => ({ event_id: text })),
  'Avro user id, a long': ours((_, digits) => ({ user_id: BigInt(digits) })),
  'Avro duration, a long, and time, a negative one': ours((_, digits) => ({
    duration_ms: BigInt(digits),
    timestamp: -BigInt(digits),
  })),
  'Avro timestamp, a long': ours((_, digits) => ({ timestamp: BigInt(digits) })),
  'Avro timestamp, a text': ours((text) => ({ timestamp: text })),
  'Avro HTTP status, a long': ours((_, digits) => ({ http_status: BigInt(digits) })),
  'JSON text in Avro': jsonText((text) => JSON.stringify({ pan: text, n: [{ note: `of ${text}` }] })),
  'a number in JSON text in Avro': jsonText((_, digits) => `{"pan":${digits},"n":[${digits}.0]}`),
  'a key in JSON text in Avro': jsonText((text) => JSON.stringify({ [text]: { [`of ${text}`]: 1 } })),
  'escapes in JSON text in Avro': jsonText((_, digits) => `{"pan":"${escaped(digits)}"}`),
  'a text alone in JSON text in Avro': jsonText((text) => JSON.stringify(text)),
  'JSON in JSON text in Avro': jsonText((text) => JSON.stringify({ raw: JSON.stringify({ pan: text }) })),
  'JSON text in Avro, payload': ours((text, digits) => ({ payload: `[${JSON.stringify(text)},{"n":${digits}}]` })),
  'broken JSON text in Avro': jsonText((text) => `{"pan":"${text}"`),
  'a long beside broken JSON text in Avro': ours((_, digits) => ({ payload: '{', user_id: BigInt(digits) })),
  'a text of a dead letter in Avro': ours((text) => ({ event_id: '', card: text })),
  'a long of a dead letter in Avro': ours((_, digits) => ({ event_id: '', user_id: BigInt(digits) })),
  'Avro cut short after a text': (text, _, base, schemas) => {
    const value = schemas.own(base, { payment: { ...PAYMENT, pan: text } })
    return { key: null, value: value.subarray(0, -3) }
  },
  'Avro cut short after a long': (_, digits, base, schemas) => {
    const value = schemas.own(base, { payment: { ...PAYMENT, number: BigInt(digits) } })
    return { key: null, value: value.subarray(0, -3) }
  },
  'Avro with bytes too many': (_, digits, base, schemas) => {
    const value = schemas.own(base, { payment: { ...PAYMENT, number: BigInt(digits) } })
    return { key: null, value: Buffer.concat([value, Buffer.from([0])]) }
  },
  'a text in Avro of an unknown schema': (text, _, base, schemas) => {
    const value = schemas.own(base, { words: { pan: text } })
    return { key: null, value: Buffer.concat([framing(987_654_321), value.subarray(5)]) }
  },
  'a long in Avro of an unknown schema': (_, digits, base, schemas) => {
    const value = schemas.own(base, { payment: { ...PAYMENT, number: BigInt(digits) } })
    return { key: null, value: Buffer.concat([framing(987_654_321), value.subarray(5)]) }
  },
  'Avro nested text': own((text) => ({ payment: { ...PAYMENT, pan: `pan ${text}` } })),
  'Avro nested long': own((_, digits) => ({ payment: { ...PAYMENT, number: BigInt(digits) } })),
  'Avro nested double': own((_, digits) => ({ payment: { ...PAYMENT, ratio: Number(digits) } })),
  'an Avro list': own((text, digits) => ({ list: [null, { string: text }, { long: BigInt(digits) }] })),
  'an Avro map': own((text) => ({ words: { pan: text } })),
  'a key of an Avro map': own((text) => ({ words: { [text]: 'x' } })),
  'longs in an Avro map of lists': own((_, digits) => ({ counts: { pans: [1n, BigInt(digits)] } })),
  'Avro bytes': own((text) => ({ raw: Buffer.from(text) })),
  'Avro bytes of a sentence': own((text) => ({ raw: Buffer.from(`paid with ${text}, thank you`) })),
  'Avro bytes of JSON': own((text) => ({ raw: Buffer.from(JSON.stringify({ pan: text })) })),
  'an Avro fixed': own((text) => ({ block: Buffer.concat([Buffer.from(text), Buffer.alloc(40)], 40) })),
  'an Avro decimal': own((_, digits) => ({ amount: bigEndian(BigInt(digits) * 100n) })),
  "Kafka's key beside Avro": (text, _, { order_id }, schemas) => ({
    key: text,
    value: schemas.own({ event_id: '', order_id }, {}),
  }),
}

/** As a decimal of Avro is written. */
const bigEndian = (value: bigint) => Buffer.from(`00${value.toString(16).padStart(22, '0')}`, 'hex')

/** Every number that could be read from these bytes, wherever it begins: as Avro's longs and doubles. */
function numbersIn(bytes: Buffer): string {
  const numbers: unknown[] = []
  for (let start = 0; start < bytes.length; start++) {
    let raw = 0n
    for (let i = start; i < Math.min(start + 10, bytes.length); i++) {
      const byte = bytes[i] as number
      raw |= BigInt(byte & 0x7f) << BigInt(7 * (i - start))
      if (byte >= 0x80) continue
      if (i - start >= 5) numbers.push((raw >> 1n) ^ -(raw & 1n))
      break
    }
    const double = start + 8 > bytes.length ? 0 : bytes.readDoubleLE(start)
    if (double >= 1e12 && Number.isSafeInteger(double)) numbers.push(double)
  }
  return numbers.join('\n')
}

/** Records that hide cards, each in one place, in turn; and beside each an id of so many digits that is none. */
function hide(count: number, random: Random, schemas: Schemas) {
  const cards = new Map<string, string>()
  const ids = new Set<string>()
  const messages: Hidden[] = []
  const places = placesOf(schemas)
  for (let i = 0; i < count; i++) {
    const digits = newCard(random)
    const id = String(random.int(1, 9)) + Array.from({ length: random.int(12, 18) }, () => random.int(0, 9)).join('')
    const text = random.pick([() => digits, () => groups(digits, random.pick(betweensOf(digits)))])()
    const [name, place] = places[i % places.length] as (typeof places)[number]
    cards.set(digits, name)
    ids.add(id)
    // One in five, and each place in both types.
    const type = (i + Math.floor(i / places.length)) % 5 === 4 ? 'response' : 'event'
    messages.push({ type, message: place(text, digits, i, id, type) })
  }
  for (const id of ids) if (cards.has(id)) ids.delete(id)
  return { cards, ids, messages }
}

const hasGroups = ({ length }: string) => length !== 13 && length !== 18
const betweensOf = (digits: string) =>
  hasGroups(digits) ? ([...BLANKS_AND_HYPHENS, ...BETWEEN_GROUPS] as const) : BLANKS_AND_HYPHENS

function placesOf(schemas: Schemas) {
  type Hide = (text: string, digits: string, i: number, order_id: string, type: RecordType) => Message
  const inJson = Object.entries(PLACES).map(([name, place]): [string, Hide] => {
    const usual = { timestamp: '2026-11-01T12:00:00Z', event_type: 'parking_start' }
    return [name, (text, digits, i, order_id) => place(text, digits, { event_id: `hunt-${i}`, ...usual, order_id })]
  })
  const inAvro = Object.entries(AVRO_PLACES).map(([name, place]): [string, Hide] => [
    name,
    (text, digits, i, order_id, type) => place(text, digits, { event_id: `avro-${i}`, order_id }, schemas, type),
  ])
  return [...inJson, ...inAvro]
}
