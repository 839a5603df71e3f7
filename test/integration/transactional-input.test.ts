import { afterAll, expect, test } from '@jest/globals'
import { MongoClient } from 'mongodb'
import { quietKafka } from '../../local/quiet-kafka.ts'
import { total } from '../../local/scrape.ts'
import { startProcessor } from '../support/processor.ts'
import { watchProgress } from '../support/progress.ts'
import { newRunNames } from '../support/run-names.ts'
import { makeTopics } from '../support/run-topics.ts'
import { dropDatabase } from '../support/run-traffic.ts'
import { sharedServices, until } from '../support/services.ts'

const { env } = sharedServices()
const names = newRunNames('transactional')

afterAll(async () => {
  await using progress = await watchProgress(env.KAFKA_BROKERS, names)
  await progress.cleanUp()
  await dropDatabase(env, names)
})

test('of inputs that are written in transactions, what was committed is taken, to the last marker', async () => {
  await makeTopics(env.KAFKA_BROKERS, names, { inputPartitions: 2, lanes: 2 })
  const producer = quietKafka(env.KAFKA_BROKERS, 'transactional').producer({
    ...{ transactionalId: names.KAFKA_GROUP_ID, maxInFlightRequests: 1, idempotent: true },
  })
  await producer.connect()
  const send = async (what: string, ending: 'commit' | 'abort') => {
    const transaction = await producer.transaction()
    const messages = Array.from({ length: 50 }, (_, i) => {
      const event = { event_id: `${what}-${i}`, event_type: 'parking_start', session_data: { session_id: `s-${i}` } }
      return { partition: i % 2, value: JSON.stringify(event) }
    })
    await transaction.send({ topic: names.EVENTS_TOPICS, messages })
    await transaction[ending]()
  }
  for (let round = 0; round < 5; round++) {
    await send(`kept${round}`, 'commit')
    await send(`dropped${round}`, 'abort')
  }
  await using progress = await watchProgress(env.KAFKA_BROKERS, names)
  await using processor = await startProcessor({ ...env, ...names })
  await progress.caughtUp(60_000)
  await send('later', 'commit')
  await progress.caughtUp(60_000)
  await until(async () => total(await processor.metrics(), 'pm_consumer_lag_records') === 0, {
    ...{ timeoutMs: 60_000, what: 'no lag is told' },
  })
  await processor.stop()
  await producer.disconnect()
  const client = new MongoClient(env.MONGODB_URI)
  const collection = client.db(names.MONGODB_DATABASE).collection(names.MONGODB_COLLECTION)
  const ids = (await collection.distinct('_id')).map(String)
  await client.close()
  expect(ids.filter((id) => id.startsWith('dropped'))).toEqual([])
  expect(ids).toHaveLength(6 * 50)
}, 240_000)
