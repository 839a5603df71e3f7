/** The schemas that the program brings, the subjects they belong under, and what a registry holds there. */
import { readFile } from 'node:fs/promises'
import { COMPATIBILITY } from '@kafkajs/confluent-schema-registry'
import type { Settings } from '../settings.ts'

type Registry = NonNullable<Settings['registry']>

export const SCHEMA_NAMES = ['event', 'response', 'status-update'] as const
export type SchemaName = (typeof SCHEMA_NAMES)[number]

/** `schemas/<name>.avsc`, as it stands there. */
export const schemaText = (name: SchemaName) => readFile(new URL(`../../schemas/${name}.avsc`, import.meta.url), 'utf8')

/** Where clients look for the schema of a topic's values: by the topic's name, and by the record's. */
export function subjectsOf(text: string, topic: string): [topic: string, record: string] {
  const { namespace, name } = JSON.parse(text) as { namespace: string; name: string }
  return [`${topic}-value`, `${namespace}.${name}`]
}

/**
 * The compatibility that a subject demands; a new one is given BACKWARD, so that its readers may be upgraded first. None
 * for one with schemas but no level of its own: it stays under that of the registry.
 * @throws when the registry is away.
 */
export async function compatibilityOf(registry: Registry, subject: string): Promise<COMPATIBILITY | undefined> {
  const path = encodeURIComponent(subject)
  const { status, body } = await ask(registry, `config/${path}`)
  const level = status === 404 ? undefined : (body.compatibilityLevel as string | undefined)
  if (level !== undefined) return level.toUpperCase() as COMPATIBILITY
  const versions = await ask(registry, `subjects/${path}/versions`)
  return versions.status === 404 ? COMPATIBILITY.BACKWARD : undefined
}

/** `new`: nothing is registered there; `incompatible`: what is there is another, and demands that this one is refused. */
export type Standing = 'new' | 'registered' | 'compatible' | 'incompatible'

/** What registries answer about a subject that has no schemas. */
const NO_SUBJECT = 40401

/**
 * How a schema stands to what is registered under a subject.
 * @throws when the registry is away.
 */
export async function standingOf(registry: Registry, subject: string, text: string): Promise<Standing> {
  const path = encodeURIComponent(subject)
  const schema = { schema: text, schemaType: 'AVRO' }
  const found = await ask(registry, `subjects/${path}`, schema)
  if (found.status === 200) return 'registered'
  // Not left to the next question: of a subject that is not there, some registries say that everything is compatible.
  if (found.body.error_code === NO_SUBJECT) return 'new'
  const { status, body } = await ask(registry, `compatibility/subjects/${path}/versions/latest`, schema)
  return status === 404 ? 'new' : body.is_compatible === true ? 'compatible' : 'incompatible'
}

/** @throws for any answer but a good one, a registry's own 404, and a 409 or 422, by which a registry refuses a schema. */
async function ask(registry: Registry, path: string, content?: object) {
  const { url, username, password } = registry
  const basic = Buffer.from(`${username}:${password ?? ''}`).toString('base64')
  const asked = fetch(`${url.replace(/\/$/, '')}/${path}`, {
    headers: {
      ...(content !== undefined && { 'content-type': 'application/vnd.schemaregistry.v1+json' }),
      ...(username !== null && { authorization: `Basic ${basic}` }),
    },
    ...(content !== undefined && { method: 'POST', body: JSON.stringify(content) }),
    signal: AbortSignal.timeout(5_000),
  })
  const response = await asked.catch((error: Error) => {
    throw new Error(`the schema registry cannot be asked: ${reasonOf(error)}`)
  })
  const { status } = response
  if (!response.ok && ![404, 409, 422].includes(status)) {
    const remedy = status === 401 || status === 403 ? ': set SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD' : ''
    throw new Error(`the schema registry answered ${status} for ${decodeURIComponent(path)}${remedy}`)
  }
  const body = ((await response.json().catch(() => null)) ?? {}) as Record<string, unknown>
  // A registry tells with a code of five digits what it does not find; 404 alone is of a server that has no such page.
  if (status === 404 && !(Number(body.error_code) >= 40_400))
    throw new Error('what answers there is no schema registry: check SCHEMA_REGISTRY_URL and its path')
  return { status, body }
}

/** `fetch` says no more than that it failed; what happened is its cause. */
function reasonOf({ message, cause }: Error): string {
  const reason = cause instanceof Error ? cause.message || String((cause as NodeJS.ErrnoException).code) : message
  return /certificate/.test(reason) ? `${reason}. NODE_EXTRA_CA_CERTS names a file of who vouches for it` : reason
}
