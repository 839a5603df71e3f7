/**
 * Both walks over made-up records, with nothing behind them: no Kafka, no MongoDB. Prints the processor time (µs) and the bytes
 * allocated of one record. Arguments: the directory of a build, the mode, the OTLP endpoint.
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { KafkaMessage } from 'kafkajs'
import { freshTraffic, newShape } from '../traffic.ts'

const [directory = '', mode = '', endpoint = ''] = process.argv.slice(2)
const RECORDS = 2_000
const CHUNKS = 60
const WARM_UP = 20
/** Share of records with a context. */
const SHARES: Record<string, number> = {
  off: 0,
  'off, all records with context': 1,
  on: 0,
  'on, 1 %': 0.01,
  'on, all': 1,
}

// biome-ignore lint/suspicious/noExplicitAny: of a build that may be an older one
const load = (path: string): Promise<any> => import(pathToFileURL(join(directory, 'dist', path)).href)
const [{ createIngest }, { createMetrics }, { createDecoder }, { createCards }, { createSealer }, { readSettings }] =
  await Promise.all(
    ['ingest.js', 'operate/metrics.js', 'decode/decoder.js', 'normalize/card-data.js', 'documents/encryption.js']
      .map(load)
      .concat(load('settings.js')),
  )
const [{ chunks }, { createStatusCodec }, { foldAll }] = await Promise.all(
  ['status/chunks.js', 'status/codec.js', 'status/fold.js'].map(load),
)
const settings = readSettings({ KAFKA_BROKERS: 'none:1', MONGODB_URI: 'mongodb://none' })
const metrics = createMetrics()
const isOn = mode.startsWith('on')
const log = { warn: console.error, info() {} }
const options = { endpoint, headers: {}, serviceName: 'bench', share: 1 }
const tracing = isOn
  ? await (await load('operate/start-tracing.js')).startTracing(options, metrics.traceSpans, log)
  : null
const store = {
  read: async () => new Map(),
  write: async (documents: () => unknown[]) => {
    const { length } = documents()
    return { inserted: length, updated: 0, unchanged: 0, kept: new Set(), refused: new Map() }
  },
}
let sent: KafkaMessage[] = []
const producer = {
  async send({ messages }: { messages: KafkaMessage[] }) {
    sent.push(...messages)
    return messages.map((message) => ({ partition: (message as unknown as { partition: number }).partition }))
  },
}
const ingest = createIngest({
  ...{ settings, store, prices: store, producer, metrics, tracing, lanes: 12, deadLetterPartitions: 1 },
  outages: { waitOut: (_: unknown, __: unknown, work: () => Promise<unknown>) => work() },
  decoder: createDecoder(null),
  cards: createCards({ tokenKey: 'a key of the bench alone', exemptPaths: [] }),
  ...{ zone: null, seal: createSealer([], []) },
})
const codec = await createStatusCodec(null, 'status', createDecoder(null))
const heads = new Map()

const share = SHARES[mode] ?? 0
const hex = (bytes: number) => randomBytes(bytes).toString('hex')
let offset = 0
const batches = Array.from({ length: CHUNKS + WARM_UP }, (_, nth) => {
  const { records } = freshTraffic(newShape(nth + 1), RECORDS)
  return Array.from(records, ({ value }) => {
    const isIn = Math.random() < share
    const headers = isIn ? { traceparent: Buffer.from(`00-${hex(16)}-${hex(8)}-01`) } : {}
    return {
      offset: String(offset++),
      timestamp: String(Date.now()),
      key: null,
      value: Buffer.from(JSON.stringify(value)),
      headers,
    }
  })
})

async function work(messages: (typeof batches)[0]): Promise<void> {
  const turn = {
    topic: 'parkmobile.events',
    partition: 3,
    signal: new AbortController().signal,
    done() {},
    pauseUntil() {},
  }
  sent = []
  await ingest(messages, messages.at(-1)?.offset, turn)
  const packs = sent.map((message) => {
    const headers = Object.entries(message.headers ?? {}).map(([name, header]) => [name, Buffer.from(String(header))])
    return { ...message, offset: '1', timestamp: '1', headers: Object.fromEntries(headers) }
  })
  const publish = async (chunk: ReturnType<typeof chunks>) => {
    const { updates, heads: moved } = foldAll((key: string) => heads.get(key), chunk.take(), 0)
    codec.toMessages(3, updates, chunk.trails?.contexts)
    for (const [key, head] of moved) heads.set(key, head)
  }
  for (const chunk of chunks(packs, RECORDS, isOn)) {
    const span = { name: 'process observations', kind: 'consumer', attributes: {} }
    await (tracing === null ? publish(chunk) : tracing.begin(span, chunk.trails.links(), () => publish(chunk)))
  }
}

for (const messages of batches.slice(0, WARM_UP)) await work(messages)
globalThis.gc?.()
const allocated: number[] = []
const before = process.cpuUsage()
for (const messages of batches.slice(WARM_UP)) {
  const { heapUsed } = process.memoryUsage()
  await work(messages)
  allocated.push((process.memoryUsage().heapUsed - heapUsed) / RECORDS)
}
const { user, system } = process.cpuUsage(before)
allocated.sort((a, b) => a - b)
console.log(JSON.stringify({ micros: (user + system) / CHUNKS / RECORDS, bytes: allocated[allocated.length >> 1] }))
process.exit()
