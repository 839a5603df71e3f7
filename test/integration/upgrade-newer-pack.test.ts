import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { withAdmin } from '../../local/quiet-kafka.ts'
import type { Observation } from '../../src/contract/observation.ts'
import { pack } from '../../src/stream/packs.ts'
import { readAll } from '../support/copy-topic.ts'
import { launchProcessor, type Processor } from '../support/processor.ts'
import { produce } from '../support/produce.ts'
import { watchProgress } from '../support/progress.ts'
import { newRunNames } from '../support/run-names.ts'
import { makeTopics } from '../support/run-topics.ts'
import { sharedServices, until } from '../support/services.ts'

/** Ingest was upgraded before the status stage, to a version that packs in another form. */
const { env } = sharedServices()
const names = newRunNames('newer-pack')
const brokers = env.KAFKA_BROKERS
let processor: Processor

beforeAll(async () => {
  await makeTopics(brokers, names, { inputPartitions: 1, lanes: 1 })
  processor = launchProcessor({ KAFKA_BROKERS: brokers, ...names, STAGES: 'status' })
  await until(async () => processor.url !== '' && (await processor.answers('/readyz')) === 200, {
    timeoutMs: 60_000,
    what: 'the status stage is ready',
  })
})
afterAll(async () => {
  await processor.stop()
  await using progress = await watchProgress(brokers, names)
  await progress.cleanUp()
})

const observation = (id: string, at: number): Observation => ({
  ...{ key: 'S', kind: 'session', status: 'on-going', at, event_id: id, session_id: 'S', card: null, zone_id: null },
  ...{ event_type: null, http_status: 200, ends_at: null, source: { topic: 'events', partition: 0, offset: '1' } },
})
const packed = (id: string, at: number) => String(pack([observation(id, at)], 1)[0]?.value)

async function countOf(topic: string): Promise<number> {
  let count = 0
  await readAll(brokers, topic, new Map(), (_, messages) => {
    count += messages.length
  })
  return count
}

test('the older status stage publishes what comes before, then waits and says so, and skips nothing', async () => {
  const now = Date.now()
  const values = [packed('e1', now), '[2,{"rows":[]}]', packed('e2', now + 1)]
  const records = values.map((value) => ({ partition: 0, key: null, value }))
  await produce(brokers, names.OBSERVATIONS_TOPIC, records)
  const conditions = async () => (await fetch(`${processor.url}/readyz`)).text()
  await until(async () => (await conditions()).includes('a pack of a later version: upgrade this program'), {
    timeoutMs: 30_000,
    what: 'it says what it waits for',
  })
  expect([await processor.answers('/readyz'), await processor.answers('/healthz')]).toEqual([503, 200])
  const committed = async () =>
    withAdmin(brokers, async (admin) => {
      const [group] = await admin.fetchOffsets({
        groupId: `${names.KAFKA_GROUP_ID}-status`,
        topics: [names.OBSERVATIONS_TOPIC],
      })
      return group?.partitions[0]?.offset
    })
  await until(async () => (await committed()) === '1', { timeoutMs: 20_000, what: 'the group stands before the pack' })
  expect(await countOf(names.STATUS_TOPIC)).toBe(1)
  expect(await countOf(names.DEAD_LETTER_TOPIC)).toBe(0)
})
