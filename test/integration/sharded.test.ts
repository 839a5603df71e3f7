import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { type Document, MongoClient } from 'mongodb'
import { findShardedCluster, SHARDED_NEEDS } from '../../local/sharded.ts'
import type { CacheDocument } from '../../src/contract/document.ts'
import { assertSpreadById } from '../../src/documents/spread.ts'
import { blocksOf } from '../support/page-commands.ts'
import { type Router, startRouter } from '../support/router.ts'
import { sharedServices } from '../support/services.ts'
import { complaintsOf, formsOf } from '../support/shard-key.ts'
import { shardedRun } from '../support/sharded-run.ts'

/**
 * The program on a sharded cluster, and what it sends to one. Two real shards need SHARDED_NEEDS. Everywhere the same runs through
 * two stand-ins for routers, before one mongod, which keep every command as it came over the line for a judge.
 */
const { mongodbUri } = sharedServices()

/** What docs/how-to/scale.md has its reader type into a `mongosh`. */
function typedByThePage(): [namespace: string, key: Document][] {
  const asked: [string, Document][] = []
  const sh = { shardCollection: (namespace: string, key: Document) => asked.push([namespace, key]) }
  for (const { text } of blocksOf('docs/how-to/scale.md').filter(({ language }) => language === 'js'))
    new Function('sh', text)(sh)
  return asked
}

test('the guide shards both collections by _id, hashed', () => {
  expect(typedByThePage()).toEqual(
    ['pm_parking_events', 'pm_price_objects'].map((name) => [`dataset.${name}`, { _id: 'hashed' }]),
  )
})

const directory = await mkdtemp(join(tmpdir(), 'sharded-'))
const real = await findShardedCluster(directory, () => undefined)
afterAll(async () => {
  await real?.[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
}, 60_000)

describe(real === null ? 'two real shards' : `two real shards, of ${real.what}`, () => {
  if (real === null) {
    test(`WERE NOT RUN: they need ${SHARDED_NEEDS}`, () => {
      process.stdout.write(
        `Two real shards were not run: they need ${SHARDED_NEEDS}. Stand-ins for their routers were.\n`,
      )
    })
    return
  }
  const names = shardedRun(async () => {
    await using client = new MongoClient(real.uri)
    for (const [namespace, key] of typedByThePage()) {
      const shardCollection = namespace.replace('dataset.', `${names.MONGODB_DATABASE}.`)
      await client.db('admin').command({ shardCollection, key })
    }
    return real.uri
  })

  test('hold half of the documents each, and a write by _id goes to one of them', async () => {
    await using client = new MongoClient(real.uri)
    const { shards } = await client.db(names.MONGODB_DATABASE).command({ collStats: names.MONGODB_COLLECTION })
    const counts = Object.values(shards as Record<string, { count: number }>).map(({ count }) => count)
    const total = counts.reduce((sum, count) => sum + count, 0)
    process.stdout.write(`Documents by shard: ${counts.join(', ')}\n`)
    expect(counts).toHaveLength(2)
    for (const count of counts) expect(count / total).toBeGreaterThan(0.4)
    const updates = [{ q: { _id: 'some id' }, u: { $set: { card: 'x' } } }]
    const explain = { update: names.MONGODB_COLLECTION, updates }
    const { queryPlanner } = await client.db(names.MONGODB_DATABASE).command({ explain })
    expect(queryPlanner.winningPlan.shards).toHaveLength(1)
  })

  test('by another key than _id are refused, with the remedy', async () => {
    await using client = new MongoClient(real.uri)
    const collection = client.db(names.MONGODB_DATABASE).collection<CacheDocument>('by_card')
    await client.db('admin').command({ shardCollection: collection.namespace, key: { card: 'hashed' } })
    await expect(assertSpreadById(collection)).rejects.toThrow(/sharded by another key than _id.*reshardCollection/)
  })
})

describe('two stand-ins for routers', () => {
  const routers: Router[] = []
  const names = shardedRun(async () => {
    const { host } = new URL(mongodbUri)
    for (let i = 0; i < 2; i++) routers.push(await startRouter(host))
    return `mongodb://${routers.map(({ address }) => address).join(',')}/`
  })
  afterAll(async () => {
    for (const router of routers) await router[Symbol.asyncDispose]()
  })
  const sent = () => routers.flatMap((router) => router.sent)

  test('were sent no write without its shard key', () => {
    const ofOurs = sent().filter(({ database }) => database === names.MONGODB_DATABASE)
    expect([...new Set(ofOurs.flatMap(complaintsOf))]).toEqual([])
    const forms = Map.groupBy(ofOurs.flatMap(formsOf), (form) => form)
    const counts = Object.fromEntries([...forms].map(([form, { length }]) => [form, length]))
    process.stdout.write(`Statements judged: ${JSON.stringify(counts)}\n`)
    // All that `src/documents/commands.ts` knows, to both collections.
    expect(Object.keys(counts).sort()).toEqual(['insert', 'merge', 'replace', 'times'])
    const written = new Set(ofOurs.flatMap(({ command }) => [command.insert, command.update]).filter(Boolean))
    expect([...written].sort()).toEqual(['pm_parking_events', 'pm_price_objects'])
  })

  test('were asked whether what is asked by _id goes to one shard, of each collection', () => {
    const asked = sent().filter(({ name }) => name === 'explain')
    const collections = new Set(asked.map(({ command }) => command.explain.find))
    expect([...collections].sort()).toEqual(['pm_parking_events', 'pm_price_objects'])
  })

  test('were both at work, and asked for a cursor only where it was opened', () => {
    for (const { sent, strangers } of routers) {
      expect(sent.some(({ name }) => name === 'update')).toBe(true)
      expect(strangers).toEqual([])
    }
  })

  test('were asked by _id for what is stored, and by nothing else while records were taken', () => {
    const finds = sent().filter(({ name, database }) => name === 'find' && database === names.MONGODB_DATABASE)
    const ofIngest = finds.filter(({ command }) => command.projection !== undefined)
    expect(ofIngest.length).toBeGreaterThan(3)
    for (const { command } of ofIngest) expect(Object.keys(command.filter)).toEqual(['_id'])
  })
})

describe('the judge', () => {
  const judge = (name: string, command: Document) => complaintsOf({ name, database: 'd', command })

  test.each<[string, Document]>([
    ['insert', { documents: [{ card: 'x' }] }],
    ['update', { updates: [{ q: { card: 'x' }, u: [] }] }],
    ['update', { updates: [{ q: { _id: { $in: ['a', 'b'] } }, u: [] }] }],
    ['update', { updates: [{ q: { _id: 'a' }, u: [], multi: true }] }],
    ['delete', { deletes: [{ q: {}, limit: 0 }] }],
    ['findAndModify', { query: { card: 'x' } }],
    ['createIndexes', { indexes: [{ name: 'i', key: { card: 1 }, unique: true }] }],
    ['insert', { documents: [], autocommit: false }],
    ['bulkWrite', {}],
  ])('complains of %s %j', (name, command) => {
    expect(judge(name, command)).toHaveLength(1)
  })
})
