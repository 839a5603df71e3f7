import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry'
import { createDecoder, type Decoder } from '../../src/decode/decoder.ts'
import { createSchemaReader, RegistryUnavailable } from '../../src/decode/registry.ts'
import { sharedServices } from '../support/services.ts'

const anonymous = { username: null, password: null }
const subject = () => `registry-decode-${randomUUID()}`

let url: string
let registry: SchemaRegistry
let decoder: Decoder
beforeAll(() => {
  url = sharedServices().registryUrl
  registry = new SchemaRegistry({ host: url }, { [SchemaType.JSON]: { strict: false } })
  decoder = createDecoder(createSchemaReader({ url, ...anonymous }))
})

/** Through the bytes and back, by a registry that only the schema id joins. */
async function decoded(bytes: Buffer) {
  await decoder.prepare([bytes])
  return decoder.decode(bytes)
}

async function registerAvro(schema: unknown, references: { name: string; subject: string; version: number }[] = []) {
  const name = subject()
  const { id } = await registry.register(
    { type: SchemaType.AVRO, schema: JSON.stringify(schema), references },
    { subject: name },
  )
  return { id, name }
}

describe('Avro', () => {
  test.each(['event', 'response'])('records of our %s schema come out plain, with their JSON parsed', async (type) => {
    const schema = JSON.parse(readFileSync(`schemas/${type}.avsc`, 'utf8'))
    const { id } = await registerAvro(schema)
    const body = type === 'event' ? { session_data: '{"session_id":9007199254740993}' } : { response: '[{"a.b":1}]' }
    const bytes = await registry.encode(id, {
      event_id: 'e1',
      http_status: 'ETIMEDOUT',
      user_id: 2 ** 40,
      payload: '{"n":1}',
      ...body,
    })
    expect(await decoded(bytes)).toMatchObject({
      value: {
        event_id: 'e1',
        card: null,
        http_status: 'ETIMEDOUT',
        user_id: 2 ** 40,
        payload: { n: 1 },
        ...(type === 'event' ? { session_data: { session_id: 9007199254740993n } } : { response: [{ 'a.b': 1 }] }),
      },
    })
  })

  test('schemas may refer to each other', async () => {
    const zone = {
      type: 'record',
      name: 'Zone',
      namespace: 'test',
      fields: [
        { name: 'id', type: 'string' },
        { name: 'more', type: 'string', json: true },
      ],
    }
    const { name } = await registerAvro(zone)
    const event = {
      type: 'record',
      name: 'Event',
      namespace: 'test',
      fields: [
        { name: 'event_id', type: 'string' },
        { name: 'zone', type: 'test.Zone' },
      ],
    }
    const { id } = await registerAvro(event, [{ name: 'test.Zone', subject: name, version: 1 }])
    const bytes = await registry.encode(id, { event_id: 'e1', zone: { id: '67890', more: '{"a":1}' } })
    expect(await decoded(bytes)).toEqual({ value: { event_id: 'e1', zone: { id: '67890', more: { a: 1 } } } })
  })

  test('older and newer writers than our schema are read by what they wrote, side by side', async () => {
    const schema = JSON.parse(readFileSync('schemas/event.avsc', 'utf8'))
    const names = ['event_id', 'event_type', 'timestamp']
    const older = { ...schema, fields: schema.fields.filter(({ name }: { name: string }) => names.includes(name)) }
    const vehicle = {
      type: 'record',
      name: 'Vehicle',
      fields: [
        { name: 'lpn', type: 'string' },
        { name: 'seats', type: 'int', default: 5 },
      ],
    }
    const newer = {
      ...schema,
      fields: [
        ...[...schema.fields].reverse(),
        { name: 'vehicle', type: ['null', vehicle], default: null },
        { name: 'lane', type: 'string', default: 'none' },
      ],
    }
    const [first, second] = [await registerAvro(older), await registerAvro(newer)]
    const event = { event_id: 'e1', event_type: 'parking_start', timestamp: 1_750_000_000_000 }
    const [before, after] = [
      await registry.encode(first.id, event),
      await registry.encode(second.id, { ...event, vehicle: { lpn: 'A1', seats: 4 }, lane: 'north' }),
    ]
    await decoder.prepare([before, after])
    expect(decoder.decode(before)).toEqual({ value: event })
    expect(decoder.decode(after)).toMatchObject({
      value: { ...event, card: null, vehicle: { lpn: 'A1', seats: 4 }, lane: 'north' },
    })
  })

  test('bytes that do not fit are undecodable', async () => {
    const { id } = await registerAvro({
      type: 'record',
      name: 'Small',
      namespace: 'test',
      fields: [{ name: 'a', type: 'string' }],
    })
    const bytes = await registry.encode(id, { a: 'text' })
    expect(await decoded(bytes.subarray(0, -1))).toMatchObject({ reject: 'undecodable' })
    expect(await decoded(Buffer.concat([bytes, Buffer.from([1])]))).toMatchObject({ reject: 'undecodable' })
  })
})

test('JSON Schema: what is valid comes out with whole integers, what is not is undecodable', async () => {
  const schema = JSON.stringify({
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    properties: { event_id: { type: 'string' }, user_id: { type: 'integer', 'x-word-of-ours': true } },
    required: ['event_id'],
  })
  const { id } = await registry.register({ type: SchemaType.JSON, schema }, { subject: subject() })
  const framed = (text: string) => Buffer.concat([Buffer.from([0, id >> 24, id >> 16, id >> 8, id]), Buffer.from(text)])
  expect(await decoded(framed('{"event_id":"e1","user_id":9007199254740993}'))).toEqual({
    value: { event_id: 'e1', user_id: 9007199254740993n },
  })
  expect(await decoded(framed('{"user_id":1}'))).toMatchObject({ reject: 'undecodable' })
  expect(await decoded(framed('{"event_id":'))).toMatchObject({ reject: 'invalid_json' })
})

describe('JSON Schema of each draft', () => {
  const framed = (id: number, text: string) =>
    Buffer.concat([Buffer.from([0, id >> 24, id >> 16, id >> 8, id]), Buffer.from(text)])

  test.each([
    ['http://json-schema.org/draft-07/schema#', { items: [{ type: 'string' }, { type: 'integer' }] }],
    [
      'https://json-schema.org/draft/2019-09/schema',
      { items: [{ type: 'string' }, { type: 'integer' }], minContains: 1 },
    ],
    ['https://json-schema.org/draft/2020-12/schema', { prefixItems: [{ type: 'string' }, { type: 'integer' }] }],
  ])('%s', async ($schema, list) => {
    const schema = JSON.stringify({ $schema, type: 'object', properties: { list } })
    const { id } = await registry
      .register({ type: SchemaType.JSON, schema }, { subject: subject() })
      .catch(async () => {
        // The library's own check knows one draft only: past it, to the registry itself.
        const answer = await fetch(`${url}/subjects/${subject()}/versions`, {
          ...{ method: 'POST', headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' } },
          body: JSON.stringify({ schemaType: 'JSON', schema }),
        })
        return (await answer.json()) as { id: number }
      })
    expect(await decoded(framed(id, '{"list":["a",1]}'))).toEqual({ value: { list: ['a', 1] } })
    expect(await decoded(framed(id, '{"list":[1,"a"]}'))).toMatchObject({ reject: 'undecodable' })
  })

  test('with a reference', async () => {
    const $schema = 'http://json-schema.org/draft-07/schema#'
    const zone = JSON.stringify({ $schema, $id: 'zone.json', type: 'object', required: ['id'] })
    const name = subject()
    await registry.register({ type: SchemaType.JSON, schema: zone }, { subject: name })
    const schema = JSON.stringify({ $schema, type: 'object', properties: { zone: { $ref: 'zone.json' } } })
    const references = [{ name: 'zone.json', subject: name, version: 1 }]
    const { id } = await registry.register({ type: SchemaType.JSON, schema, references }, { subject: subject() })
    expect(await decoded(framed(id, '{"zone":{"id":1}}'))).toEqual({ value: { zone: { id: 1 } } })
    expect(await decoded(framed(id, '{"zone":{}}'))).toMatchObject({ reject: 'undecodable' })
  })
})

test.each([
  ['an enum', 'enum Kind { UNKNOWN = 0; START = 1; }'],
  ['a service', 'service Parking { rpc Get (Event) returns (Event); }'],
])('Protobuf: a file may begin with %s', async (_, first) => {
  const schema = `syntax = "proto3"; package test.deep; ${first} message Event { string event_id = 1; }`
  const { id } = await registry.register({ type: SchemaType.PROTOBUF, schema }, { subject: subject() })
  const bytes = Buffer.concat([Buffer.from([0, id >> 24, id >> 16, id >> 8, id, 0, 10, 2]), Buffer.from('e1')])
  expect(await decoded(bytes)).toEqual({ value: { event_id: 'e1' } })
})

test('Protobuf: fields keep the names of the schema, and the path tells the message', async () => {
  const schema = `syntax = "proto3"; package test;
    message Event { string event_id = 1; int64 user_id = 2; message Inner { string zone_id = 1; } }
    message Other { string other_id = 1; }`
  const { id } = await registry.register({ type: SchemaType.PROTOBUF, schema }, { subject: subject() })
  const header = Buffer.from([0, id >> 24, id >> 16, id >> 8, id])
  const text = (field: number, value: string) =>
    Buffer.concat([Buffer.from([(field << 3) | 2, value.length]), Buffer.from(value)])
  const message = (path: number[], body: Buffer) => Buffer.concat([header, Buffer.from(path), body])
  expect(await decoded(message([0], text(1, 'e1')))).toEqual({ value: { event_id: 'e1' } })
  expect(await decoded(message([2, 2], text(1, 'o1')))).toEqual({ value: { other_id: 'o1' } })
  expect(await decoded(message([4, 0, 0], text(1, 'z1')))).toEqual({ value: { zone_id: 'z1' } })
  expect(await decoded(message([0], Buffer.alloc(0)))).toEqual({ value: {} })
  expect(await decoded(message([0], text(1, 'e1').subarray(0, -1)))).toMatchObject({ reject: 'undecodable' })
})

describe('the registry is asked', () => {
  test('about a schema that it does not know: the record is rejected', async () => {
    expect(await decoded(Buffer.from([0, 0x7f, 0xff, 0xff, 0xfe, 1]))).toMatchObject({ reject: 'unknown_schema' })
    expect(await decoded(Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1]))).toMatchObject({ reject: 'unknown_schema' })
  })

  test('at a wrong path: nothing is rejected, the setting is named', async () => {
    const wrong = createDecoder(createSchemaReader({ url: `${url}/nowhere`, ...anonymous }))
    const failure = await wrong.prepare([Buffer.from([0, 0, 0, 0, 1, 1])]).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(RegistryUnavailable)
    expect((failure as Error).message).toContain('SCHEMA_REGISTRY_URL')
  })
})
