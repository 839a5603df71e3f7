import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { kafkaClasspath } from '../local/services.ts'

/** After this long without a record, all have been seen: the end of a topic may be markers that nobody is shown. */
const IDLE_MS = 3_000
/** On a busy machine the reader may not even have joined by then. */
const PATIENT_MS = 30_000
const ID = /(?:^|,)ce_id:([^,\t]+)/

export interface Committed {
  records: number
  /** How many different CloudEvents ids they have. */
  ids: number
}

/**
 * What a topic holds for who reads it committed, counted by Java's consumer, which shares nothing with the program.
 * @param expected fewer than so many are looked for again, with more patience
 */
export async function countCommitted(brokers: string, topic: string, expected: number): Promise<Committed> {
  const counted = await count(brokers, topic, IDLE_MS)
  return counted.records < expected ? count(brokers, topic, PATIENT_MS) : counted
}

async function count(brokers: string, topic: string, idleMs: number): Promise<Committed> {
  const child = spawn('java', await argumentsFor(brokers, topic, idleMs), { stdio: ['ignore', 'pipe', 'pipe'] })
  const closed = once(child, 'close')
  let complaints = ''
  child.stderr.on('data', (text) => {
    complaints = (complaints + text).slice(-2_000)
  })
  const ids = new Set<string>()
  let records = 0
  let rest = ''
  child.stdout.setEncoding('latin1')
  for await (const chunk of child.stdout) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    records += lines.length
    for (const line of lines) ids.add(ID.exec(line)?.[1] ?? '')
  }
  await closed
  if (!complaints.includes('TimeoutException'))
    throw new Error(`Java's consumer could not read ${topic}: ${complaints}`)
  return { records, ids: ids.size }
}

async function argumentsFor(brokers: string, topic: string, idleMs: number): Promise<string[]> {
  const properties = ['print.headers=true', 'print.value=false']
  return [
    ...['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'],
    ...['-cp', await kafkaClasspath(), 'org.apache.kafka.tools.consumer.ConsoleConsumer'],
    ...['--bootstrap-server', brokers, '--topic', topic, '--from-beginning', '--timeout-ms', String(idleMs)],
    ...['--isolation-level', 'read_committed', '--consumer-property', 'max.poll.records=5000'],
    ...properties.flatMap((property) => ['--property', property]),
  ]
}
