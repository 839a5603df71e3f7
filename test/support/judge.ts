import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { consoleConsumer, kafkaTool, linesOf } from '../../local/native/console-consumer.ts'

/** A record as an independent client sees it. */
export interface JudgedRecord {
  topic: string
  partition: number
  offset: number
  /** Epoch milliseconds. */
  timestamp: number
  headers: Record<string, string>
  key: Buffer | null
  value: Buffer | null
}

/** Stands for null; no value of ours looks like it. */
const NULL = '~null~b7c1'
const HEADER_SEPARATOR = '\u0001'
const PER_FIELD = ['timestamp', 'partition', 'offset', 'headers', 'key']
/**
 * How long a consumer waits for the next record. Behind the last record of a transactional topic may be any number of
 * markers, which nobody is shown, so there its silence is the end. Anywhere else it has not seen what it should have.
 */
const IDLE_MS = 15_000
const MOST_IDLE_MS = 90_000

/**
 * Reads a topic from its beginning to its present end, read committed, with Java's console consumer: a client that shares
 * nothing with the program. The bytes of keys and values survive as they are.
 * @param transactional all its records are written in transactions
 * @param ends its present end, where that is known already
 */
export async function* readTopic(
  brokers: string,
  topic: string,
  { transactional = false, ends: known = null as ReadonlyMap<number, number> | null } = {},
): AsyncGenerator<JudgedRecord> {
  const ends = known ?? (await endOffsets(brokers, topic))
  // Behind the last record of a transaction stands its marker.
  const marker = transactional ? 2 : 1
  const open = new Map([...ends].filter(([, end]) => end > 0))
  if (open.size === 0) return
  const idleMs = transactional ? IDLE_MS : MOST_IDLE_MS
  const child = spawn('java', await consumerArguments(brokers, topic, idleMs), { stdio: ['ignore', 'pipe', 'pipe'] })
  const closed = once(child, 'close')
  let complaints = ''
  child.stderr.on('data', (text) => {
    complaints = (complaints + text).slice(-2000)
  })
  try {
    for await (const line of linesOf(child.stdout)) {
      const record = parse(topic, line)
      const end = ends.get(record.partition) ?? 0
      if (record.offset < end) yield record
      if (record.offset >= end - marker) open.delete(record.partition)
      if (open.size === 0) return
    }
    await closed
    if (transactional && complaints.includes('TimeoutException')) return
    throw new Error(`The judge did not see the end of ${topic}, partitions ${[...open.keys()]}: ${complaints}`)
  } finally {
    child.kill('SIGKILL')
    await closed
  }
}

function consumerArguments(brokers: string, topic: string, idleMs: number): Promise<string[]> {
  const bytes = 'org.apache.kafka.common.serialization.BytesDeserializer'
  return consoleConsumer(brokers, topic, idleMs, [
    ...PER_FIELD.map((field) => `print.${field}=true`),
    ...['key', 'value', 'headers'].map((part) => `${part}.deserializer=${bytes}`),
    `null.literal=${NULL}`,
    `headers.separator=${HEADER_SEPARATOR}`,
  ])
}

/** The present end of each partition: the offset that the next record will have. */
export async function endOffsets(brokers: string, topic: string): Promise<Map<number, number>> {
  return (await endsOfTopics(brokers, [topic])).get(topic) as Map<number, number>
}

/** The same of several topics, for one start of Java. */
export async function endsOfTopics(brokers: string, topics: string[]): Promise<Map<string, Map<number, number>>> {
  const pattern = topics.map((topic) => topic.replaceAll('.', '\\.')).join('|')
  const which = ['--bootstrap-server', brokers, '--topic', pattern, '--time', 'latest']
  const child = spawn('java', await kafkaTool('GetOffsetShell', ...which), { stdio: ['ignore', 'pipe', 'pipe'] })
  const closed = once(child, 'close')
  let complaints = ''
  child.stderr.on('data', (text) => {
    complaints += text
  })
  const ends = new Map(topics.map((topic) => [topic, new Map<number, number>()]))
  for await (const line of linesOf(child.stdout)) {
    const [topic = '', partition, offset] = line.split(':')
    ends.get(topic)?.set(Number(partition), Number(offset))
  }
  const [code] = await closed
  const missing = topics.filter((topic) => ends.get(topic)?.size === 0)
  if (code !== 0 || missing.length > 0) throw new Error(`The judge found no topic ${missing}: ${complaints}`)
  return ends
}

function parse(topic: string, line: string): JudgedRecord {
  const [timestamp = '', partition = '', offset = '', headers = '', key = '', value, ...surplus] = line.split('\t')
  if (value === undefined || surplus.length > 0) throw new Error(`The judge does not understand this line: ${line}`)
  const number = (text: string) => Number(text.slice(text.indexOf(':') + 1))
  return {
    topic,
    partition: number(partition),
    offset: number(offset),
    timestamp: number(timestamp),
    headers: headersOf(headers),
    key: bytesOf(key),
    value: bytesOf(value),
  }
}

function headersOf(text: string): Record<string, string> {
  if (text === 'NO_HEADERS') return {}
  return Object.fromEntries(
    text.split(HEADER_SEPARATOR).map((header) => {
      const colon = header.indexOf(':')
      return [header.slice(0, colon), String(bytesOf(header.slice(colon + 1)))]
    }),
  )
}

const ESCAPE = /\\x([0-9A-F]{2})/g

function bytesOf(text: string): Buffer | null {
  if (text === NULL) return null
  if (!text.includes('\\')) return Buffer.from(text, 'latin1')
  return Buffer.from(
    text.replace(ESCAPE, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  )
}
