import { readFile } from 'node:fs/promises'
import { COMPATIBILITY, SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry'
import avsc from 'avsc'
import type { Settings } from '../settings.ts'
import { createAvroWriter } from './avro-writer.ts'
import { Output } from './kafkajs-output.ts'

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
 * Registers `schemas/<name>.avsc` under `<topic>-value`; a new subject gets compatibility BACKWARD. Throws when the
 * registry is away, and IncompatibleSchemaError when it holds a schema there that this one is not compatible with.
 */
export async function registerSchema(
  settings: NonNullable<Settings['registry']>,
  name: string,
  topic: string,
): Promise<RegisteredSchema> {
  const { url: host, username, password } = settings
  const auth = username === null ? {} : { auth: { username, password: password ?? '' } }
  const registry = new SchemaRegistry({ host, ...auth, retry: { retries: 1, maxRetryTimeInSecs: 1 } })
  const text = await readFile(new URL(`../../schemas/${name}.avsc`, import.meta.url), 'utf8')
  const subject = `${topic}-value`
  const compatibility = await compatibilityOf(settings, subject)
  const { id } = await registry
    .register({ type: SchemaType.AVRO, schema: text }, { subject, compatibility })
    .catch((error) => {
      if (!isRefused(error)) throw error
      throw new IncompatibleSchemaError(
        `the schema registry does not take schemas/${name}.avsc under ${subject}, for which it demands ${compatibility}: ` +
          `${error.message}. Use another topic or registry, or lower the compatibility of the subject for this start`,
      )
    })
  const prefix = Buffer.alloc(5)
  prefix.writeInt32BE(id, 1)
  const writePayload = createAvroWriter(avsc.Type.forSchema(JSON.parse(text)))
  const write: RegisteredSchema['write'] = (out, value) => {
    out.bytes(prefix)
    writePayload(out, value)
  }
  return { text, write, encode: (value) => scratch.each([value], () => write(scratch, value))[0] as Buffer }
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

/**
 * The level that the subject has, since the client insists on being told the same: an operator may have set a stricter
 * one, and another processor that is just registering has not set one yet.
 */
async function compatibilityOf(settings: NonNullable<Settings['registry']>, subject: string): Promise<COMPATIBILITY> {
  const { url, username, password } = settings
  const basic = Buffer.from(`${username}:${password ?? ''}`).toString('base64')
  const response = await fetch(`${url.replace(/\/$/, '')}/config/${encodeURIComponent(subject)}`, {
    headers: username === null ? {} : { authorization: `Basic ${basic}` },
    signal: AbortSignal.timeout(5_000),
  })
  if (response.status === 404) return COMPATIBILITY.BACKWARD
  if (!response.ok) throw new Error(`the schema registry answered ${response.status} for the config of ${subject}`)
  const { compatibilityLevel } = (await response.json()) as { compatibilityLevel?: string }
  return (compatibilityLevel?.toUpperCase() as COMPATIBILITY | undefined) ?? COMPATIBILITY.BACKWARD
}
