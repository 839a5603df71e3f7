import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import mongoose, { type Model, Schema } from 'mongoose'
import type { CacheDocument } from '../../src/contract/document.ts'
import { ensureIndexes } from '../../src/documents/indexes.ts'
import { createStore } from '../../src/documents/store.ts'
import { documentOf, START } from '../support/documents.ts'
import { openTestMongo, type TestMongo } from '../support/mongo.ts'
import { sharedServices } from '../support/services.ts'

/** The model of the applications that read the collection, as it stands in their code. */
const schema = new Schema(
  {
    _id: { type: String },
    card: { type: String },
    http_status: { type: (Number || String) as NumberConstructor },
    response: { type: Object },
  },
  { timestamps: true },
)

let mongo: TestMongo
let connection: mongoose.Connection
let ParkingEvent: Model<mongoose.InferSchemaType<typeof schema>>

beforeAll(async () => {
  mongo = openTestMongo()
  await ensureIndexes(mongo.collection)
  connection = await mongoose.createConnection(sharedServices().mongodbUri, { dbName: mongo.database }).asPromise()
  ParkingEvent = connection.model('pm_parking_events', schema, 'pm_parking_events') as unknown as typeof ParkingEvent
})
afterAll(async () => {
  await connection.close()
  await mongo[Symbol.asyncDispose]()
})

const write = async (...documents: CacheDocument[]) => {
  const store = createStore(mongo.collection)
  await store.write(documents, await store.read(documents.map(({ _id }) => _id)))
}

describe('an application with the Mongoose model', () => {
  test('finds a document by its id, with response and time stamps', async () => {
    const response = { event_type: 'parking_start', session_data: { session_id: 5016216071 }, 'a.b': { $c: 1 } }
    await write(documentOf({ id: 'm-1', at: 5, content: { card: 'card-m', http_status: 200, response } }))
    const found = await ParkingEvent.findById('m-1')
    expect(found?.toObject()).toMatchObject({ _id: 'm-1', card: 'card-m', http_status: 200, response })
    expect(found?.createdAt).toEqual(new Date(START + 5_000))
    expect(found?.updatedAt).toEqual(new Date(START + 5_000))
    expect(await ParkingEvent.findById('nobody')).toBeNull()
  })

  test('lists the newest fifty of a card, by the index', async () => {
    const documents = Array.from({ length: 60 }, (_, at) =>
      documentOf({ id: `list-${at}`, at, content: { card: 'card-l', http_status: 200, response: { at } } }),
    )
    await write(...documents, documentOf({ id: 'other', content: { card: 'card-o' } }))
    const query = () => ParkingEvent.find({ card: 'card-l' }).sort({ createdAt: -1 }).limit(50)
    const found = await query()
    expect(found.map(({ _id }) => _id)).toEqual(Array.from({ length: 50 }, (_, index) => `list-${59 - index}`))
    const plan = (await query().explain('executionStats')) as unknown as Explained
    expect(plan.queryPlanner.winningPlan).toMatchObject({
      stage: 'LIMIT',
      inputStage: { stage: 'FETCH', inputStage: { stage: 'IXSCAN', keyPattern: { card: 1, createdAt: -1 } } },
    })
    expect(plan.executionStats.totalDocsExamined).toBe(50)
  })

  test('sees an error as the newest state, with a status that is a number', async () => {
    await write(documentOf({ id: 'm-2', at: 1, content: { card: 'c', http_status: 200, response: { ok: 1 } } }))
    await write(
      documentOf({ id: 'm-2', at: 2, kind: 'error', content: { card: 'c', http_status: 502, response: 'Bad' } }),
    )
    expect(await ParkingEvent.findById('m-2')).toMatchObject({ http_status: 502, response: 'Bad' })
    expect(await ParkingEvent.findOne({ _id: 'm-2', http_status: { $gte: 400 } })).not.toBeNull()
  })

  test('reads a document whose status is a word: hydrated without the status, lean with it', async () => {
    const response = { message: 'connect ETIMEDOUT' }
    await write(documentOf({ id: 'm-3', kind: 'error', content: { card: 'c', http_status: 'ETIMEDOUT', response } }))
    const hydrated = await ParkingEvent.findById('m-3')
    expect(hydrated?.http_status).toBeUndefined()
    expect(hydrated?.response).toEqual(response)
    expect(JSON.parse(JSON.stringify(hydrated))).toMatchObject({ _id: 'm-3', card: 'c', response })
    expect((await ParkingEvent.findById('m-3').lean())?.http_status).toBe('ETIMEDOUT')
    expect(await ParkingEvent.find({ card: 'c' }).sort({ createdAt: -1 }).limit(50)).not.toHaveLength(0)
  })

  test('sees a tombstone as gone: 410, no card, no response', async () => {
    await write(documentOf({ id: 'm-4', at: 1, content: { card: 'card-t', http_status: 200, response: 1 } }))
    await write(documentOf({ id: 'm-4', at: 2, kind: 'tombstone' }))
    const found = (await ParkingEvent.findById('m-4')) as InstanceType<typeof ParkingEvent>
    expect(Object.keys(found.toObject())).toEqual(
      expect.arrayContaining(['_id', 'http_status', 'createdAt', 'updatedAt']),
    )
    expect(found.toObject()).not.toHaveProperty('card')
    expect(found.toObject()).not.toHaveProperty('response')
    expect(found.http_status).toBe(410)
    expect(await ParkingEvent.find({ card: 'card-t' })).toEqual([])
  })

  test('reads documents without card or response, with null, and with a response that is no object', async () => {
    await write(
      documentOf({ id: 'm-5', content: {} }),
      documentOf({ id: 'm-6', content: { card: null, http_status: null, response: null } }),
      documentOf({ id: 'm-7', content: { card: 'c', http_status: 204, response: ['a', 1] } }),
    )
    const [none, nulls, list] = await ParkingEvent.find({ _id: { $in: ['m-5', 'm-6', 'm-7'] } }).sort({ _id: 1 })
    expect([none?.card, none?.http_status, none?.response]).toEqual([undefined, undefined, undefined])
    expect([nulls?.card, nulls?.http_status, nulls?.response]).toEqual([null, null, null])
    expect(list?.response).toEqual(['a', 1])
  })

  test('may still write a document of its own, which a newer record then takes over', async () => {
    await ParkingEvent.create({ _id: 'm-8', card: 'c', http_status: 200, response: { by: 'application' } })
    const before = await ParkingEvent.findById('m-8')
    await write(
      documentOf({ id: 'm-8', arrived: 4e9, content: { card: 'c', http_status: 200, response: { by: 'us' } } }),
    )
    expect(await ParkingEvent.findById('m-8')).toMatchObject({ response: { by: 'us' }, createdAt: before?.createdAt })
  })
})

interface Explained {
  queryPlanner: { winningPlan: object }
  executionStats: { totalDocsExamined: number }
}
