import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { describe, expect, test } from '@jest/globals'
import { COMPATIBILITY, SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry'
import { createDecoder } from '../../src/decode/decoder.ts'
import { createSchemaReader } from '../../src/decode/registry.ts'
import { waitOut } from '../../src/operate/wait-out.ts'
import { isIncompatible, registerSchema } from '../../src/stream/register-schema.ts'
import { sharedServices } from '../support/services.ts'

const url = sharedServices().registryUrl
const settings = { url, username: null, password: null }
const client = new SchemaRegistry({ host: url })
const newTopic = () => `register-${randomUUID()}`
const subjectOf = (topic: string) => `${topic}-value`

async function versionsOf(topic: string): Promise<number[]> {
  const response = await fetch(`${url}/subjects/${subjectOf(topic)}/versions`)
  return (await response.json()) as number[]
}

async function levelOf(topic: string): Promise<unknown> {
  const response = await fetch(`${url}/config/${subjectOf(topic)}`)
  return ((await response.json()) as { compatibilityLevel: string }).compatibilityLevel
}

async function setLevel(topic: string, compatibility: string): Promise<void> {
  const response = await fetch(`${url}/config/${subjectOf(topic)}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ compatibility }),
  })
  if (!response.ok) throw new Error(`The registry answers ${response.status}: ${await response.text()}`)
}

/** A record that shares nothing with ours, as some other program may have registered it. */
const STRANGER = JSON.stringify({ type: 'record', name: 'Stranger', fields: [{ name: 'size', type: 'int' }] })
const registerStranger = (topic: string, compatibility = COMPATIBILITY.BACKWARD) =>
  client.register({ type: SchemaType.AVRO, schema: STRANGER }, { subject: subjectOf(topic), compatibility })

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => Promise.reject(new Error('It was to fail')),
    (error: unknown) => error,
  )

const update = {
  ...{ id: 'u1', event_id: 'e1', session_id: 's1', card: null, zone_id: 'Z', kind: 'session', event_type: null },
  ...{ previous_status: null, status: 'on-going', changed: true, http_status: 200, ends_at: null, revision: 1 },
  occurred_at: '2026-05-01T12:00:00.000Z',
  state: { session: { status: 'on-going', occurred_at: '2026-05-01T12:00:00.000Z', event_id: 'e1' } },
  source: { topic: 'parkmobile.events', partition: 3, offset: '9007199254740993' },
}

describe('a new subject', () => {
  test('gets our schema with compatibility BACKWARD, and values that any reader of the registry decodes', async () => {
    const topic = newTopic()
    const { text, encode } = await registerSchema(settings, 'status-update', topic)
    expect([await versionsOf(topic), await levelOf(topic)]).toEqual([[1], 'BACKWARD'])
    const value = encode(update)
    expect(JSON.parse(await stored(value.readInt32BE(1)))).toEqual(JSON.parse(text))
    const decoder = createDecoder(createSchemaReader(settings))
    await decoder.prepare([value])
    expect(decoder.decode(value)).toEqual({ value: update })
  })

  test('takes several processors at once, as they start: one id', async () => {
    const start = (topic: string) =>
      waitOut(() => registerSchema(settings, 'status-update', topic), {
        signal: AbortSignal.timeout(20_000),
        giveUp: isIncompatible,
        onFailure: () => {},
      })
    for (let round = 0; round < 5; round++) {
      const topic = newTopic()
      const racers = await Promise.all([start(topic), start(topic), start(topic)])
      expect(new Set(racers.map(({ encode }) => encode(update).readInt32BE(1))).size).toBe(1)
      expect(await levelOf(topic)).toBe('BACKWARD')
    }
  })

  const stored = async (id: number) => {
    const response = await fetch(`${url}/schemas/ids/${id}`)
    return ((await response.json()) as { schema: string }).schema
  }
})

describe('an existing subject', () => {
  test.each(['FULL', 'BACKWARD_TRANSITIVE', 'NONE'])('of compatibility %s is accepted, and keeps it', async (level) => {
    const topic = newTopic()
    const first = await registerSchema(settings, 'status-update', topic)
    await setLevel(topic, level)
    const again = await registerSchema(settings, 'status-update', topic)
    expect(again.encode(update)).toEqual(first.encode(update))
    expect([await versionsOf(topic), await levelOf(topic)]).toEqual([[1], level])
  })

  test('without a level of its own stays under that of the registry', async () => {
    const topic = newTopic()
    const schema = readFileSync('schemas/status-update.avsc', 'utf8')
    await fetch(`${url}/subjects/${subjectOf(topic)}/versions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ schema }),
    })
    const before = await levelOf(topic)
    await registerSchema(settings, 'status-update', topic)
    expect(await levelOf(topic)).toEqual(before)
  })

  test.each(['BACKWARD', 'FULL'] as const)(
    'of compatibility %s with a schema that ours does not fit is incompatible, and stays as it is',
    async (level) => {
      const topic = newTopic()
      await registerStranger(topic, COMPATIBILITY[level])
      const error = await failureOf(registerSchema(settings, 'status-update', topic))
      expect(error).toBeInstanceOf(Error)
      expect(isIncompatible(error)).toBe(true)
      expect(await versionsOf(topic)).toEqual([1])
    },
  )
})

test('a registry that is away or answers with a fault is not incompatible: it is waited for', async () => {
  const server = createServer((_, response) => response.writeHead(503).end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const there = { ...settings, url: `http://127.0.0.1:${port}` }
  const busy = await failureOf(registerSchema(there, 'status-update', newTopic()))
  await new Promise((resolve) => {
    server.close(resolve)
    server.closeAllConnections()
  })
  const away = await failureOf(registerSchema(there, 'status-update', newTopic()))
  expect([isIncompatible(busy), isIncompatible(away)]).toEqual([false, false])
  expect(String(busy)).toMatch(/the schema registry answered 503 for config\/register-/)
})
