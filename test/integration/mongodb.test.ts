import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Collection, WriteConcern } from 'mongodb'
import type { CacheDocument } from '../../src/contract/document.ts'
import { openMongo } from '../../src/documents/connect.ts'
import { ensureIndexes } from '../../src/documents/indexes.ts'
import { createStore } from '../../src/documents/store.ts'
import { within } from '../../src/operate/within.ts'
import { documentOf } from '../support/documents.ts'
import { openTestMongo, type TestMongo } from '../support/mongo.ts'
import { sharedServices } from '../support/services.ts'

let mongo: TestMongo
let collection: Collection<CacheDocument>
beforeAll(() => {
  mongo = openTestMongo()
  collection = mongo.collection
})
afterAll(async () => mongo[Symbol.asyncDispose]())

describe('an outage', () => {
  test('is thrown when the majority does not confirm, and the write may be repeated', async () => {
    const unsafe = mongo.client
      .db(mongo.database)
      .collection<CacheDocument>(collection.collectionName, { writeConcern: new WriteConcern(2, 100) })
    const document = documentOf({ id: 'unconfirmed' })
    await expect(createStore(unsafe).write([document], new Map())).rejects.toThrow('did not confirm the insert')
    expect(await createStore(collection).write([document], new Map())).toMatchObject({ unchanged: 1 })
  })

  test('is thrown within seconds, at start and while running, and ends by itself', async () => {
    const port = await freePort()
    const uri = `mongodb://127.0.0.1:${port}/?directConnection=true`
    await using away = openMongo({ uri, database: mongo.database, collection: 'outage' }, 'test')
    const store = createStore(away.collection)
    await expect(away.ping()).rejects.toThrow('ECONNREFUSED')
    await expect(away.ping()).rejects.toThrow('ECONNREFUSED')
    {
      await using _way = await wayToMongo(port)
      await away.ping()
      expect(await store.write([documentOf({})], new Map())).toMatchObject({ inserted: 1 })
    }
    await expect(store.read(['event-1'])).rejects.toThrow(/ECONNREFUSED|closed/)
    await expect(store.write([documentOf({})], new Map())).rejects.toThrow('ECONNREFUSED')
    await using _way = await wayToMongo(port)
    expect((await store.read(['event-1'])).size).toBe(1)
    expect(await store.write([documentOf({})], new Map())).toMatchObject({ unchanged: 1 })
  })

  test('ends what begins in the moment in which its connection goes', async () => {
    using sockets = openedSockets()
    await using mine = openMongo(
      { uri: sharedServices().mongodbUri, database: mongo.database, collection: 'lost' },
      'test',
    )
    const store = createStore(mine.collection)
    const lose = async () => {
      await mine.ping()
      for (const socket of sockets.all) socket.destroy()
    }
    await lose()
    expect((await within(10_000, store.read(['event-1']))).size).toBe(0) // the driver reads once more
    await lose()
    await expect(within(10_000, store.write([documentOf({})], new Map()))).rejects.toThrow('closed')
  })

  test('a unique index that is not ours is an error with its remedy, not a refused document', async () => {
    const other = mongo.client.db(mongo.database).collection<CacheDocument>('unique')
    await other.createIndex({ card: 1 }, { unique: true })
    const store = createStore(other)
    const documents = [documentOf({ id: 'a' }), documentOf({ id: 'b' })]
    await expect(store.write(documents, new Map())).rejects.toThrow('drop that index')
  })
})

describe('the connection', () => {
  test('answers a ping', async () => {
    await expect(mongo.ping()).resolves.toBeUndefined()
  })
})

describe('the indexes', () => {
  const named = (name: string) => mongo.client.db(mongo.database).collection<CacheDocument>(name)

  test('are made once, and again makes no difference', async () => {
    await ensureIndexes(named('indexed'))
    await Promise.all([ensureIndexes(named('indexed')), ensureIndexes(named('indexed'))])
    const indexes = (await named('indexed').indexes()).map(({ key, expireAfterSeconds }) => ({
      key,
      expireAfterSeconds,
    }))
    expect(indexes).toEqual([
      { key: { _id: 1 } },
      { key: { card: 1, createdAt: -1 } },
      { key: { 'cache.expiresAt': 1 }, expireAfterSeconds: 0 },
    ])
  })

  test('may stand under another name', async () => {
    await named('renamed').createIndex({ card: 1, createdAt: -1 }, { name: 'mine' })
    await ensureIndexes(named('renamed'))
    expect((await named('renamed').indexes()).map(({ name }) => name)).toEqual(['_id_', 'mine', 'cache.expiresAt_1'])
  })

  test('are not made over another one: the error says what to drop', async () => {
    await named('conflict').createIndex({ 'cache.expiresAt': 1 }, { expireAfterSeconds: 60 })
    await expect(ensureIndexes(named('conflict'))).rejects.toThrow(
      /"cache\.expiresAt_1".*db\.getCollection\("conflict"\)\.dropIndex\("cache\.expiresAt_1"\)/,
    )
  })
})

/** The sockets that this process opens from now on, until it is disposed. */
function openedSockets(): { all: Set<Socket> } & Disposable {
  const all = new Set<Socket>()
  const onOpened = (message: unknown) => {
    all.add((message as { socket: Socket }).socket)
  }
  subscribe('net.client.socket', onOpened)
  return { all, [Symbol.dispose]: () => unsubscribe('net.client.socket', onOpened) }
}

/** A loopback port on which nobody listens. */
async function freePort(): Promise<number> {
  await using server = await listening(createServer(), 0)
  return (server.address() as { port: number }).port
}

/** A way to the shared MongoDB through a port of our own; disposing cuts it. */
async function wayToMongo(port: number): Promise<AsyncDisposable> {
  const [address] = mongo.client.options.hosts
  const { host = '', port: mongoPort = 0 } = address ?? {}
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    const onward = connect(mongoPort, host)
    for (const end of [socket, onward]) sockets.add(end.on('error', () => {}))
    socket.pipe(onward).pipe(socket)
  })
  await listening(server, port)
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await server[Symbol.asyncDispose]()
    },
  }
}

async function listening(server: Server, port: number): Promise<Server> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject).listen(port, '127.0.0.1', resolve)
  await promise
  return server
}
