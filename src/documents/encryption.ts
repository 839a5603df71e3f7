/**
 * Fields that are kept encrypted in the documents, so that who has only the database cannot read them: AES-256-GCM, as text
 * `enc:<key id>:<base64url of nonce, ciphertext and tag>` in the place of the value.
 *
 * A record gives the same text each time (the nonce is an HMAC of key, place and value), so copies of it still are copies. The document's id and the
 * path are authenticated: a text that is moved elsewhere cannot be read. Who watches one field of one document sees whether it changed.
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import { BSON } from 'mongodb'
import type { CacheContent } from '../contract/document.ts'
import { Decimal, type Json, type JsonObject } from '../contract/record.ts'
import { encodeEach } from './bson.ts'

/** Keys by their id; the first encrypts, all decrypt. */
export type EncryptionKeys = readonly { readonly id: string; readonly key: Buffer }[]

const NONCE_BYTES = 12
const TAG_BYTES = 16

export type Sealer = (id: string, content: CacheContent) => CacheContent

/**
 * @param paths dotted, in the document; the items of an array have the path of the array. Where a path leads into a text that holds JSON, the
 * whole text is sealed.
 */
export function createSealer(paths: readonly string[], keys: EncryptionKeys): Sealer {
  const [newest] = keys
  if (newest === undefined || paths.length === 0) return (_, content) => content
  const noncing = createHmac('sha256', newest.key).update('nonce').digest()
  const split = paths.map((path) => path.split('.'))

  const seal = (value: Json, place: string): string => {
    const [plain] = encodeEach([{ v: value }], (_, error) => {
      throw error
    })
    const bytes = plain as Buffer
    const nonce = createHmac('sha256', noncing)
      .update(place)
      .update('\0')
      .update(bytes)
      .digest()
      .subarray(0, NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', newest.key, nonce).setAAD(Buffer.from(place))
    const sealed = Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()])
    return `enc:${newest.id}:${sealed.toString('base64url')}`
  }

  /** A copy with the value at the path sealed; the same where there is none. */
  const sealAt = (value: Json, names: readonly string[], place: string): Json => {
    if (value === null || value === undefined) return value
    const [name, ...rest] = names
    if (name === undefined) return seal(value, place)
    if (Array.isArray(value)) return value.map((item) => sealAt(item, names, place))
    if (typeof value === 'string' && /^\s*[[{]/.test(value))
      return seal(value, place.slice(0, -names.join('.').length - 1))
    if (typeof value !== 'object' || value instanceof Decimal || !Object.hasOwn(value, name)) return value
    const inner = value[name] as Json
    const sealed = sealAt(inner, rest, place)
    return sealed === inner ? value : { ...value, [name]: sealed }
  }

  return (id, content) =>
    split.reduce((sealed, names) => sealAt(sealed as JsonObject, names, placeOf(id, names)) as CacheContent, content)
}

const placeOf = (id: string, names: readonly string[]) => `${id}\0${names.join('.')}`

/** A document, or its `cache.lastSuccess`, with all that these keys can decrypt in the clear; the rest stays as it is. */
export function unseal<C extends CacheContent>(id: string, document: C, keys: EncryptionKeys): C {
  const byId = new Map(keys.map(({ id: name, key }) => [name, key]))
  const walk = (value: unknown, names: readonly string[]): unknown => {
    if (typeof value === 'string') return open(value, placeOf(id, names), byId)
    if (Array.isArray(value)) return value.map((item) => walk(item, names))
    if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [name, walk(inner, placeWithin(names, name))]),
    )
  }
  return walk(document, []) as C
}

/** What stands in `cache.lastSuccess` was sealed at the place that it had before. */
const placeWithin = (names: readonly string[], name: string) =>
  names.length === 0 && OF_OURS.has(name) ? names : [...names, name]

const OF_OURS: ReadonlySet<string> = new Set(['cache', 'lastSuccess'])

const SEALED = /^enc:([\w-]{1,64}):([\w-]{38,})$/

function open(text: string, place: string, keys: ReadonlyMap<string, Buffer>): unknown {
  const [, id = '', base64 = ''] = SEALED.exec(text) ?? []
  const key = keys.get(id)
  if (key === undefined) return text
  const bytes = Buffer.from(base64, 'base64url')
  const cipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES))
  cipher.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(-TAG_BYTES))
  try {
    const plain = Buffer.concat([cipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), cipher.final()])
    return BSON.deserialize(plain).v
  } catch {
    return text // it was not sealed here
  }
}
