import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry'
import type { Type } from 'avsc'
import type { Reject } from '../contract/dead-letter.ts'
import type { Json } from '../contract/record.ts'
import { createAvroReader } from './avro.ts'
import { createJsonTextHook, NO_SCHEMA } from './avro-schema.ts'
import { createDrafts, createJsonSchemaReader, type JsonSchemaLike } from './json-schema.ts'
import { createProtobufReader, findMessagesInLibrary, keepProtobufNames, type ProtobufSchemaLike } from './protobuf.ts'

/** The registry is away, or does not let us in: wait, and ask again. It is never the record's fault. */
export class RegistryUnavailable extends Error {}

export interface RegistrySettings {
  url: string
  username: string | null
  password: string | null
}

export type Read = (payload: Buffer) => Json

/**
 * One look-up of a schema, its references included: how to read by it, or why its records cannot be read.
 * @throws RegistryUnavailable
 */
export type LookUp = (id: number) => Promise<Read | Reject>

interface Limits {
  requestTimeoutMs: number
  lookUpTimeoutMs: number
}

/**
 * What callers do is wait and come back, so the library itself repeats a request once only, and only when the network
 * failed. Being asked whether to repeat is also the one chance to see an answer before the library throws over it: it
 * reads `message` of a failure's body without a look whether that is `null`, where nobody can catch it.
 */
const RETRY = {
  retries: 1,
  initialRetryTimeInSecs: 0.1,
  maxRetryTimeInSecs: 0.5,
  validateRetry(answer: object): boolean {
    const { responseData } = answer as { responseData?: unknown }
    if (typeof responseData === 'string' && responseData.trim() === 'null')
      Object.assign(answer, { responseData: NO_BODY })
    return false
  },
}

const NO_BODY = '{"message":"it failed without a word"}'

export function createLookUp(settings: RegistrySettings, limits: Limits): LookUp {
  keepProtobufNames()
  findMessagesInLibrary()
  const registry = new SchemaRegistry(clientOptions(settings, limits.requestTimeoutMs), {
    [SchemaType.AVRO]: { typeHook: createJsonTextHook() },
    [SchemaType.JSON]: { ajvInstance: createDrafts() },
  } as ConstructorParameters<typeof SchemaRegistry>[1])

  return async (id) => {
    try {
      await within(registry.getSchema(id), limits.lookUpTimeoutMs)
      const known = registry.cache.getSchema(id)
      return known === undefined ? unusable(id) : readBy(known.type, known.schema)
    } catch (error) {
      return outcomeOf(error, id, settings.url)
    }
  }
}

function clientOptions({ url, username, password }: RegistrySettings, requestTimeoutMs: number) {
  return {
    host: url,
    clientId: CLIENT_ID,
    retry: RETRY,
    middlewares: [withTimeout(requestTimeoutMs)],
    ...(username !== null && { auth: { username, password: password ?? '' } }),
  }
}

const CLIENT_ID = 'pm-parking-events'

type Middleware = NonNullable<ConstructorParameters<typeof SchemaRegistry>[0]['middlewares']>[number]

const withTimeout =
  (timeout: number): Middleware =>
  () => ({
    async prepareRequest(next) {
      return (await next()).enhance({ timeout })
    },
  })

/** A registry that answers a little at a time never runs into the time-out of a request, so each look-up has an end. */
async function within<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new RegistryUnavailable(`no answer within ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

function readBy(type: SchemaType, schema: unknown): Read {
  switch (type) {
    case SchemaType.AVRO:
      // An event whose writer named no http_status is to have the default, as in JSON.
      return createAvroReader(schema as Type, 'http_status')
    case SchemaType.JSON:
      return createJsonSchemaReader(schema as JsonSchemaLike)
    default:
      return createProtobufReader(schema as ProtobufSchemaLike)
  }
}

/** An answer of the library's HTTP client; a network error has status 400 there, as if the request had been wrong. */
const isAnswer = (error: unknown): error is Error & { status: number } =>
  error instanceof Error && 'status' in error && typeof error.status === 'number'

function outcomeOf(error: unknown, id: number, url: string): Reject {
  if (!isAnswer(error)) {
    if (error instanceof RegistryUnavailable) throw unavailable(url, error.message)
    if (error instanceof Error && error.message === NO_SCHEMA)
      throw unavailable(url, 'its answer holds no schema; check SCHEMA_REGISTRY_URL, and what stands between')
    return unusable(id)
  }
  const said = error.message.replace(`${CLIENT_ID} - `, '')
  if (error.status === 401 || error.status === 403) {
    throw unavailable(
      url,
      `it does not let us in (${error.status}); set SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD`,
    )
  }
  if (error.status !== 404) throw unavailable(url, said)
  if (NO_SUCH_PAGE.test(said)) {
    throw unavailable(url, 'what answers there is no schema registry; check SCHEMA_REGISTRY_URL and its path')
  }
  return {
    reject: 'unknown_schema',
    message: `The registry does not know schema ${id}. Register it there, or check that SCHEMA_REGISTRY_URL is the producer's.`,
  }
}

/** How servers say that the path does not exist, other than that the schema does not. */
const NO_SUCH_PAGE = /^(?:Error, status 404|HTTP 404|Not found$)|Could not find resource/i

function unavailable(url: string, why: string): RegistryUnavailable {
  return new RegistryUnavailable(`The schema registry at ${withoutCredentials(url)} cannot be asked: ${why}.`)
}

function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//')
}

function unusable(id: number): Reject {
  return {
    reject: 'undecodable',
    message: `Schema ${id} cannot be used: it is not valid, or of a kind that is not known here. Register a valid Avro, JSON Schema or Protobuf schema.`,
  }
}
