import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Message } from 'kafkajs'
import { BSON, MongoClient } from 'mongodb'
import { MAIN } from '../../local/build.ts'
import { startService } from '../../local/native/process.ts'
import { freePorts } from '../../local/ports.ts'
import { quietKafka } from '../../local/quiet-kafka.ts'
import type { Services } from '../../local/services.ts'
import { createRandom, type Random } from '../../src/simulate/random.ts'
import { readTopic } from './judge.ts'
import { watchProgress } from './progress.ts'
import { newRunNames, type RunNames } from './run-names.ts'
import { makeTopics } from './run-topics.ts'

/**
 * A hunt for card numbers: records that hide them wherever a record can hold one go through the real program; then everything that
 * it wrote, and that others wrote because of it, is looked through for them.
 */
export interface Hunt {
  records: number
  /** Card numbers that were hidden. */
  cards: number
  /** Bytes that were looked through, by where. */
  searched: Record<string, number>
  /** Where card numbers were found, and in what. */
  found: string[]
  /** Opaque ids of 13 to 19 digits that were stored, and those of them that were taken for a card. */
  ids: number
  harmed: number
}

export async function huntForCards(services: Services, records: number, seed: string): Promise<Hunt> {
  const names = newRunNames('hunt')
  const hidden = hide(records, createRandom(seed))
  await makeTopics(services.env.KAFKA_BROKERS, names, { inputPartitions: 3, lanes: 3 })
  await send(services, names, hidden.messages)
  const hunt: Hunt = { ...{ records, cards: hidden.cards.size, searched: {}, found: [] }, ...{ ids: 0, harmed: 0 } }
  const look = (where: string, what: string) => {
    hunt.searched[where] = (hunt.searched[where] ?? 0) + what.length
    for (const card of cardsIn(what, hidden.cards)) hunt.found.push(`${where}: ${card.slice(0, 6)}… of ${card.length}`)
  }
  await work(services, names, look)
  for (const topic of [names.OBSERVATIONS_TOPIC, names.STATUS_TOPIC, names.DEAD_LETTER_TOPIC]) {
    const transactional = topic === names.STATUS_TOPIC
    for await (const { key, value, headers } of readTopic(services.env.KAFKA_BROKERS, topic, { transactional })) {
      for (const part of [key, value])
        if (part !== null) look(topic.slice(topic.indexOf('.') + 1), part.toString('latin1'))
      look('headers', JSON.stringify(headers))
    }
  }
  const inputs = [names.EVENTS_TOPICS, names.RESPONSES_TOPICS]
  for (const file of filesOf(services.directory)) {
    if (inputs.some((topic) => file.includes(topic))) continue
    look(file.includes('mongodb') ? "MongoDB's files" : "Kafka's files and the logs", readFileSync(file, 'latin1'))
  }
  const client = new MongoClient(services.env.MONGODB_URI, { promoteLongs: false })
  for await (const document of client.db(names.MONGODB_DATABASE).collection(names.MONGODB_COLLECTION).find()) {
    const text = BSON.EJSON.stringify(document, { relaxed: true })
    look('documents', text)
    const id = /"order_id":"?(\w+)/.exec(text)?.[1]
    if (id !== undefined) hunt.ids++
    if (id !== undefined && !hidden.ids.has(id)) hunt.harmed++
  }
  for await (const entry of client.db('local').collection('oplog.rs').find()) look('oplog', BSON.EJSON.stringify(entry))
  await client.close()
  return hunt
}

/** Known cards in a text, whatever stands between their digits. */
function* cardsIn(text: string, cards: ReadonlySet<string>): Generator<string> {
  for (const [run] of text.matchAll(/\d(?:[ -]?\d){12,}/g)) {
    const digits = run.replace(/[ -]/g, '')
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

async function work(services: Services, names: RunNames, look: (where: string, what: string) => void): Promise<void> {
  await using progress = await watchProgress(services.env.KAFKA_BROKERS, names)
  const [port] = (await freePorts(1)) as [number]
  const address = `http://127.0.0.1:${port}`
  const program = await startService({
    ...{ name: 'the processor', command: process.execPath, args: [MAIN, 'process'], cwd: services.directory, address },
    env: {
      ...{ KAFKA_BROKERS: services.env.KAFKA_BROKERS, MONGODB_URI: services.env.MONGODB_URI, ...names },
      ...{ CARD_TOKEN_KEY: 'a key for tests, of no other use', HTTP_PORT: String(port), LOG_LEVEL: 'trace' },
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
  type: 'event' | 'response'
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

const groups = (digits: string, separator: string) => digits.replace(/(\d{4})(?=\d)/g, `$1${separator}`)

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

/** Records that hide cards, each in one place; and beside each an id of so many digits that is none. */
function hide(count: number, random: Random) {
  const cards = new Set<string>()
  const ids = new Set<string>()
  const messages: Hidden[] = []
  const places = Object.values(PLACES)
  for (let i = 0; i < count; i++) {
    const digits = newCard(random)
    const id = String(random.int(1, 9)) + Array.from({ length: random.int(12, 18) }, () => random.int(0, 9)).join('')
    cards.add(digits)
    ids.add(id)
    const text = random.pick([digits, groups(digits, ' '), groups(digits, '-')])
    const base = { event_id: `hunt-${i}`, timestamp: '2026-11-01T12:00:00Z', event_type: 'parking_start', order_id: id }
    const place = places[i % places.length] as Place
    const message = place(text, digits, base)
    messages.push({ type: i % 5 === 4 ? 'response' : 'event', message })
  }
  for (const id of ids) if (cards.has(id)) ids.delete(id)
  return { cards, ids, messages }
}
