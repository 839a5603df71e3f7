import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { consoleConsumer, linesOf } from '../local/native/console-consumer.ts'

/** After this long without a record, all have been seen: the end of a topic may be markers that nobody is shown. */
const IDLE_MS = 3_000
/** On a busy machine the reader may not even have joined by then. */
const PATIENT_MS = 30_000
const PRINTED = ['print.headers=true', 'print.value=false']
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
  const child = spawn('java', await consoleConsumer(brokers, topic, idleMs, PRINTED), {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const closed = once(child, 'close')
  let complaints = ''
  child.stderr.on('data', (text) => {
    complaints = (complaints + text).slice(-2_000)
  })
  const ids = new Set<string>()
  let records = 0
  for await (const line of linesOf(child.stdout)) {
    records++
    ids.add(ID.exec(line)?.[1] ?? '')
  }
  await closed
  if (!complaints.includes('TimeoutException'))
    throw new Error(`Java's consumer could not read ${topic}: ${complaints}`)
  return { records, ids: ids.size }
}
