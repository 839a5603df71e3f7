import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { MongoClient } from 'mongodb'
import { type ReplicaSet, startReplicaSet } from '../../local/native/replica-set.ts'
import { startToxiproxy, type Toxiproxy } from '../../local/native/toxiproxy.ts'
import type { CacheDocument } from '../../src/contract/document.ts'
import { type Processor, startProcessor } from '../support/processor.ts'
import { type Progress, watchProgress } from '../support/progress.ts'
import { assertAsStored, readRace } from '../support/race-readers.ts'
import { openRaceTraffic, TOKEN_KEY } from '../support/race-traffic.ts'
import { createReadClient, Memory } from '../support/read-client.ts'
import { type ReadSide, startReadSide } from '../support/read-side.ts'
import { newRunNames } from '../support/run-names.ts'
import { sharedServices, until } from '../support/services.ts'

/**
 * MongoDB's primary is killed, and its successor frozen and woken up as a primary of before, while readers race the processor. What a
 * new primary does not know to be confirmed must not be shown again as it was.
 */
const READERS = 100
const { env } = sharedServices()
const names = newRunNames('serve-failover')

let directory: string
let proxy: Toxiproxy
let set: ReplicaSet
let processor: Processor
let side: ReadSide
let mongo: MongoClient
let progress: Progress

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'serve-failover-'))
  proxy = await startToxiproxy(directory, () => undefined)
  set = await startReplicaSet(directory, proxy, () => undefined)
  const uri = set.uri
  mongo = new MongoClient(uri)
  const settings = { KAFKA_BROKERS: env.KAFKA_BROKERS, MONGODB_URI: uri, ...names, CARD_TOKEN_KEY: TOKEN_KEY }
  processor = await startProcessor(settings)
  side = await startReadSide(settings)
  progress = await watchProgress(env.KAFKA_BROKERS, names)
}, 120_000)

afterAll(async () => {
  await side?.stop()
  await processor?.stop()
  await mongo?.close()
  await progress?.cleanUp()
  await progress?.[Symbol.asyncDispose]()
  await set?.discard()
  await proxy?.discard()
  await rm(directory, { recursive: true, force: true })
}, 60_000)

async function killed(): Promise<void> {
  const old = await set.primary()
  await old.kill()
  await set.primary()
  await delay(2_000)
  await old.start()
}

async function frozen(): Promise<void> {
  const old = await set.primary()
  await old.pause()
  const others = set.members.filter((member) => member !== old)
  const leads = async () => (await Promise.all(others.map(({ directUri }) => isPrimary(directUri)))).includes(true)
  await until(leads, { timeoutMs: 30_000, what: 'another member leads' })
  await delay(2_000)
  await old.resume()
}

async function isPrimary(uri: string): Promise<boolean> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 1_000 })
  const hello = await client.db('admin').command({ hello: 1 })
  await client.close()
  return hello.isWritablePrimary
}

test('no reader goes back in time when another member leads, and in the end all is as it is stored', async () => {
  const wrong: string[] = []
  const count = { answers: 0, unavailable: 0 }
  using client = createReadClient(side.url, READERS)
  const ask = async (path: string) => {
    const answer = await client.get(path)
    count.answers++
    if (answer.status === 503) count.unavailable++
    else if (![200, 404, 410].includes(answer.status)) wrong.push(`${path} answered ${answer.status}`)
    return answer
  }
  let isDone = false
  const readers = Array.from({ length: READERS }, (_, i) => readRace(ask, () => isDone, new Memory(wrong), i))
  const writer = async () => {
    await using traffic = await openRaceTraffic(env.KAFKA_BROKERS, names, process.env.SEED ?? 'failover')
    for (; !isDone; await delay(100)) await traffic.send(30)
  }
  const writing = writer()
  await delay(2_000)
  for (const way of [killed, frozen]) {
    await way()
    await until(() => set.isWhole(), { timeoutMs: 60_000, what: 'all members serve' })
    await delay(2_000)
  }
  isDone = true
  await Promise.all([writing, ...readers])
  expect(wrong.slice(0, 20)).toEqual([])
  process.stdout.write(`${JSON.stringify(count)}\n`)

  await progress.caughtUp(60_000)
  const isTold = async () => (await side.get('/v1/cache')).body.mongodb === 'up'
  await until(isTold, { timeoutMs: 10_000, what: 'changes are told' })
  await delay(1_500) // what was told last is heard by then
  await assertAsStored(ask, mongo.db(names.MONGODB_DATABASE).collection<CacheDocument>(names.MONGODB_COLLECTION))
}, 180_000)
