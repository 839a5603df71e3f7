import { createHash, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Collection, Long } from 'mongodb'
import { startMongodb } from '../../local/native/mongodb.ts'
import { processOf } from '../../local/proc.ts'
import type { CacheDocument } from '../../src/contract/document.ts'
import { openMongo } from '../../src/documents/connect.ts'
import { ensureIndexes } from '../../src/documents/indexes.ts'
import { createStore } from '../../src/documents/store.ts'
import { documentOf } from '../support/documents.ts'

/**
 * Which shard key: `_id` by range, or hashed. What the one costs that the other does not, its index, on a shard of its own; and how
 * ids that come one after the other would spread over chunks that were cut from those before. Taken on one mongod: nothing is sharded.
 *
 *     node test/acceptance/shard-key.ts --documents 200000 --rounds 3
 */
const { values } = parseArgs({
  options: { documents: { type: 'string', default: '200000' }, rounds: { type: 'string', default: '3' } },
})
const DOCUMENTS = Number(values.documents)
const ROUNDS = Number(values.rounds)
const CHUNK = 2_000
const CHUNKS = 16

const say = (line: string) => {
  process.stdout.write(`${line}\n`)
}

const IDS: Record<string, (i: number) => string> = {
  'random (UUID 4)': () => randomUUID(),
  'by time (UUID 7)': (i) => {
    const ms = (1_780_000_000_000 + i).toString(16).padStart(12, '0')
    return `${ms.slice(0, 8)}-${ms.slice(8)}-7${randomUUID().slice(15)}`
  },
  'counted (evt-1000001)': (i) => `evt-${1_000_000 + i}`,
}

const directory = await mkdtemp(join(tmpdir(), 'shard-key-'))
const mongod = await startMongodb(directory, () => undefined)
await using mongo = openMongo({ uri: mongod.address, database: 'shard-key', collection: 'unused' }, 'shard-key')
try {
  await mongo.ping()
  await costs()
  await spread()
} finally {
  await mongod.discard()
  await rm(directory, { recursive: true, force: true })
}

/** Of new documents, with the index of a hashed key and without, in turn. */
async function costs(): Promise<void> {
  const pid = (await mongod.pid?.()) ?? 0
  say('| | round | mongod, µs a document | index of the key, bytes a document |\n|---|---|---|---|')
  await insertAll('warm', false)
  for (let round = 1; round <= ROUNDS; round++) {
    for (const isHashed of [false, true]) {
      const before = processOf(pid).seconds
      const collection = await insertAll(`r${round}-${isHashed}`, isHashed)
      const us = ((processOf(pid).seconds - before) / DOCUMENTS) * 1e6
      const stats = await collection.db.command({ collStats: collection.collectionName })
      const bytes = isHashed ? stats.indexSizes._id_hashed / DOCUMENTS : 0
      say(`| ${isHashed ? 'hashed' : 'by range'} | ${round} | ${us.toFixed(1)} | ${bytes.toFixed(0)} |`)
      await collection.drop()
    }
  }
}

async function insertAll(name: string, isHashed: boolean): Promise<Collection<CacheDocument>> {
  const collection = mongo.client.db('shard-key').collection<CacheDocument>(name)
  await ensureIndexes(collection)
  if (isHashed) await collection.createIndex({ _id: 'hashed' })
  const store = createStore(collection)
  const response = { note: 'x'.repeat(400) }
  for (let i = 0; i < DOCUMENTS; i += CHUNK) {
    const documents = Array.from({ length: CHUNK }, (_, n) =>
      documentOf({
        id: randomUUID(),
        at: i + n,
        content: { card: `card-${(i + n) % 5_000}`, http_status: 200, response },
      }),
    )
    await store.write(documents, new Map())
  }
  await mongo.client.db('admin').command({ fsync: 1 })
  return collection
}

/** The share of the fullest of CHUNKS chunks, of ids that follow those by which the chunks were cut; even would be 1 / CHUNKS. */
async function spread(): Promise<void> {
  const count = 20_000
  say(`\n| ids | fullest of ${CHUNKS} chunks by range | and by hash |\n|---|---|---|`)
  for (const [name, idOf] of Object.entries(IDS)) {
    const before = Array.from({ length: count }, (_, i) => idOf(i)).sort()
    const after = Array.from({ length: count }, (_, i) => idOf(count + i))
    const cuts = Array.from({ length: CHUNKS - 1 }, (_, i) => before[Math.floor(((i + 1) * count) / CHUNKS)] as string)
    const byRange = fullest(after.map((id) => cuts.filter((cut) => id >= cut).length))
    say(`| ${name} | ${percent(byRange)} | ${percent(await fullestByHash(name, after))} |`)
  }
}

function fullest(chunks: number[]): number {
  const counts = Map.groupBy(chunks, (chunk) => chunk).values()
  return Math.max(...Array.from(counts, ({ length }) => length)) / chunks.length
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

/** By MongoDB's own hash, as its index has it. */
async function fullestByHash(name: string, ids: string[]): Promise<number> {
  const collection = mongo.client
    .db('shard-key')
    .collection<{ _id: string }>(createHash('md5').update(name).digest('hex'))
  await collection.insertMany(ids.map((_id) => ({ _id })))
  await collection.createIndex({ _id: 'hashed' })
  const place = (i: number) =>
    Long.fromBigInt(BigInt.asIntN(64, -(2n ** 63n) + (2n ** 64n / BigInt(CHUNKS)) * BigInt(i)))
  const counts: number[] = []
  for (let i = 0; i < CHUNKS; i++) {
    const range = collection.find({}, { projection: { _id: 1 } }).hint({ _id: 'hashed' })
    range.min({ _id: place(i) })
    if (i < CHUNKS - 1) range.max({ _id: place(i + 1) })
    counts.push((await range.toArray()).length)
  }
  await collection.drop()
  return Math.max(...counts) / ids.length
}
