import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { MongoClient } from 'mongodb'
import { kafkaTool } from '../../local/native/console-consumer.ts'
import { quietKafka } from '../../local/quiet-kafka.ts'
import { readToEnd } from '../../src/stream/read-to-end.ts'
import { startProcessor } from '../support/processor.ts'
import { watchProgress } from '../support/progress.ts'
import { newRunNames } from '../support/run-names.ts'
import { makeTopics } from '../support/run-topics.ts'
import { dropDatabase } from '../support/run-traffic.ts'
import { sharedServices } from '../support/services.ts'

const { env } = sharedServices()
const names = newRunNames('compression')
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const EACH = 1_000

/** Java's producer, which every other client is measured by. */
async function produce(codec: string): Promise<void> {
  const args = await kafkaTool(
    'ConsoleProducer',
    ...['--bootstrap-server', env.KAFKA_BROKERS, '--topic', names.EVENTS_TOPICS, '--compression-codec', codec],
    ...['--producer-property', 'linger.ms=200', '--producer-property', 'batch.size=200000'],
  )
  const child = spawn('java', args, { stdio: ['pipe', 'ignore', 'inherit'] })
  for (let i = 0; i < EACH; i++) {
    const session_data = { session_id: `s-${codec}-${i}`, note: 'the same in all of them '.repeat(20) }
    child.stdin.write(`${JSON.stringify({ event_id: `${codec}-${i}`, event_type: 'parking_start', session_data })}\n`)
  }
  child.stdin.end()
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`The producer ended with ${code}`)
}

beforeAll(async () => {
  await makeTopics(env.KAFKA_BROKERS, names, { inputPartitions: 2, lanes: 2 })
  for (const codec of CODECS) await produce(codec)
}, 120_000)
afterAll(async () => {
  await using progress = await watchProgress(env.KAFKA_BROKERS, names)
  await progress.cleanUp()
  await dropDatabase(env, names)
})

test('a reader of a topic reads what was compressed, whatever the codec', async () => {
  const read = new Map<string, number>()
  await readToEnd({
    ...{ kafka: quietKafka(env.KAFKA_BROKERS, 'compression'), topic: names.EVENTS_TOPICS },
    onMessages: (_, messages) => {
      for (const { value } of messages) {
        const codec = JSON.parse(String(value)).event_id.split('-')[0]
        read.set(codec, (read.get(codec) ?? 0) + 1)
      }
    },
  })
  expect(Object.fromEntries(read)).toEqual(Object.fromEntries(CODECS.map((codec) => [codec, EACH])))
})

test('and so does the program', async () => {
  await using progress = await watchProgress(env.KAFKA_BROKERS, names)
  await using processor = await startProcessor({ ...env, ...names })
  await progress.caughtUp(60_000)
  await processor.stop()
  const client = new MongoClient(env.MONGODB_URI)
  const collection = client.db(names.MONGODB_DATABASE).collection(names.MONGODB_COLLECTION)
  const counts = await Promise.all(
    CODECS.map((codec) => collection.countDocuments({ _id: new RegExp(`^${codec}-`) } as object)),
  )
  await client.close()
  expect(counts).toEqual(CODECS.map(() => EACH))
}, 120_000)
