import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry'
import avsc from 'avsc'
import type { Settings } from '../settings.ts'
import { createAvroWriter } from './avro-writer.ts'
import { Output } from './kafkajs-output.ts'
import { compatibilityOf, type SchemaName, schemaText, subjectsOf } from './subjects.ts'

type Registry = NonNullable<Settings['registry']>

export interface RegisteredSchema {
  /** The schema as it stands in `schemas/`. */
  text: string
  /** Writes a value in the Confluent wire format: byte 0, the schema id, Avro. Throws when the value does not fit. */
  write(out: Output, value: object): void
  /** The same into a buffer of its own. */
  encode(value: object): Buffer
}

const scratch = new Output(1 << 20)

/**
 * Registers `schemas/<name>.avsc` for the values of a topic, under the topic's name and the record's; a new subject gets
 * compatibility BACKWARD. Throws when the registry is away, and IncompatibleSchemaError when it holds a schema there that this
 * one is not compatible with.
 */
export async function registerSchema(settings: Registry, name: SchemaName, topic: string): Promise<RegisteredSchema> {
  const text = await schemaText(name)
  const [ofTopic, ofRecord] = subjectsOf(text, topic)
  const { url: host, username, password } = settings
  const auth = username === null ? {} : { auth: { username, password: password ?? '' } }
  const registry = new SchemaRegistry({ host, ...auth, retry: { retries: 1, maxRetryTimeInSecs: 1 } })
  const id = await register(registry, settings, name, text, ofTopic)
  await register(registry, settings, name, text, ofRecord)
  const prefix = Buffer.alloc(5)
  prefix.writeInt32BE(id, 1)
  const writePayload = createAvroWriter(avsc.Type.forSchema(JSON.parse(text)))
  const write: RegisteredSchema['write'] = (out, value) => {
    out.bytes(prefix)
    writePayload(out, value)
  }
  return { text, write, encode: (value) => scratch.each([value], () => write(scratch, value))[0] as Buffer }
}

/** The id that the schema has under the subject. */
async function register(
  registry: SchemaRegistry,
  settings: Registry,
  name: SchemaName,
  text: string,
  subject: string,
): Promise<number> {
  // The client insists on being told the level that the subject has: an operator may have set a stricter one, and another
  // processor that is just registering has not set one yet.
  const compatibility = await compatibilityOf(settings, subject)
  try {
    const options = compatibility === undefined ? { subject, updateConfig: false } : { subject, compatibility }
    const { id } = await registry.register({ type: SchemaType.AVRO, schema: text }, options)
    return id
  } catch (error) {
    if (!isRefused(error as object)) throw error
    throw new IncompatibleSchemaError(
      `the schema registry does not take schemas/${name}.avsc under ${subject}, for which it demands ${compatibility ?? 'its own compatibility'}: ` +
        `${(error as Error).message}. Use another topic or registry, or lower the compatibility of the subject for this start`,
    )
  }
}

/** The registry has a schema under our subject that ours does not fit. */
class IncompatibleSchemaError extends Error {
  override name = 'IncompatibleSchemaError'
}

/** Whether waiting cannot help. */
export const isIncompatible = (error: unknown) => error instanceof IncompatibleSchemaError

/** A refusal for good. "Already exists" is what the loser of two registrations at once is told: trying again helps. */
function isRefused({ status, message = '' }: { status?: number; message?: string }): boolean {
  return status === 422 || (status === 409 && !/already exists/i.test(message))
}
