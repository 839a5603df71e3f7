import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { MongoClient } from 'mongodb'
import { total } from '../../local/scrape.ts'
import type { CacheDocument } from '../../src/contract/document.ts'
import { type Processor, startProcessor } from '../support/processor.ts'
import { type Progress, watchProgress } from '../support/progress.ts'
import { assertAsStored, readRace } from '../support/race-readers.ts'
import { openRaceTraffic, TOKEN_KEY } from '../support/race-traffic.ts'
import { createReadClient, Memory } from '../support/read-client.ts'
import { type ReadSide, startReadSide } from '../support/read-side.ts'
import { newRunNames } from '../support/run-names.ts'
import { sharedServices } from '../support/services.ts'

/**
 * A thousand readers race the processor over the same few events, alone and in lists. None may see anything older than it has seen,
 * and when all is quiet every answer is what MongoDB holds.
 */
const READERS = 1_000
const RECORDS = 6_000
const CHUNK = 100
/** Where the machine is slow, fewer records come. */
const MOST_MS = 30_000

const { env, mongodbUri } = sharedServices()
const names = newRunNames('serve-race')
const settings = { KAFKA_BROKERS: env.KAFKA_BROKERS, MONGODB_URI: mongodbUri, ...names, CARD_TOKEN_KEY: TOKEN_KEY }

let processor: Processor
let side: ReadSide
let mongo: MongoClient
let progress: Progress
const documents = () => mongo.db(names.MONGODB_DATABASE).collection<CacheDocument>(names.MONGODB_COLLECTION)

beforeAll(async () => {
  mongo = new MongoClient(mongodbUri)
  processor = await startProcessor(settings)
  side = await startReadSide(settings)
  progress = await watchProgress(env.KAFKA_BROKERS, names)
}, 120_000)

afterAll(async () => {
  await side?.stop()
  await processor?.stop()
  await mongo?.db(names.MONGODB_DATABASE).dropDatabase()
  await mongo?.close()
  await progress?.cleanUp()
  await progress?.[Symbol.asyncDispose]()
}, 60_000)

test('no reader goes back in time, and in the end all is as it is stored', async () => {
  const wrong: string[] = []
  using client = createReadClient(side.url, READERS)
  let looks = 0
  const ask = async (path: string) => {
    looks++
    const answer = await client.get(path)
    if (![200, 404, 410].includes(answer.status)) wrong.push(`${path} answered ${answer.status}`)
    return answer
  }
  let isDone = false
  const readers = Array.from({ length: READERS }, (_, i) => readRace(ask, () => isDone, new Memory(wrong), i))
  {
    await using traffic = await openRaceTraffic(env.KAFKA_BROKERS, names, process.env.SEED ?? 'race')
    const end = Date.now() + MOST_MS
    for (let sent = 0; sent < RECORDS && Date.now() < end; sent += CHUNK) {
      await traffic.send(CHUNK)
      await delay(50)
    }
  }
  await progress.caughtUp(60_000)
  isDone = true
  await Promise.all(readers)
  expect(wrong.slice(0, 20)).toEqual([])

  await delay(1_500) // what was told last is heard by then
  await assertAsStored(ask, documents())
  expect(total(await side.metrics(), 'pm_cache_look_ups_total', { layer: 'memory' })).toBe(looks)
  const { look_ups } = (await side.get('/v1/cache')).body
  process.stdout.write(`${looks} look-ups: ${JSON.stringify(look_ups)}\n`)
  // The race was one: answers were kept, and shared, and loaded again.
  for (const outcome of ['hit', 'negative', 'coalesced', 'miss']) expect(look_ups.memory[outcome]).toBeGreaterThan(100)
}, 180_000)
