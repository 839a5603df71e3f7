import type { Reject } from '../contract/dead-letter.ts'
import type { Json } from '../contract/record.ts'
import { decodeJson } from './json.ts'
import type { SchemaReader } from './registry.ts'

/**
 * Bytes to values. The first byte tells the encoding of each record, so that a topic may mix them: 0 is the Confluent
 * wire format (0, the schema id in four bytes, the payload), all else is JSON.
 */
export interface Decoder {
  /**
   * Fetches the schemas that these values need and that are not known yet; nothing without a registry.
   * @throws RegistryUnavailable while the registry is away: wait and call again. Never for an unknown schema.
   */
  prepare(values: Iterable<Buffer | null>): Promise<void>
  /** Decodes a value after `prepare` has seen it. Never throws for what the bytes hold. */
  decode(value: Buffer): { value: Json } | Reject
}

/** @param registry null: no registry is set, and values in the wire format are rejected. */
export function createDecoder(registry: SchemaReader | null): Decoder {
  return {
    async prepare(values) {
      if (registry === null) return
      const ids = new Set<number>()
      for (const value of values) if (value !== null && isFramed(value)) ids.add(value.readInt32BE(1))
      if (ids.size > 0) await registry.prepare(ids)
    },
    decode(value) {
      if (value[0] !== MAGIC_BYTE) return decodeJson(value)
      if (registry === null) return NO_REGISTRY
      return isFramed(value) ? registry.decode(value.readInt32BE(1), value.subarray(HEADER_BYTES)) : CUT_SHORT
    },
  }
}

const MAGIC_BYTE = 0
/** Magic byte and schema id. */
const HEADER_BYTES = 5

const isFramed = (value: Buffer) => value[0] === MAGIC_BYTE && value.length >= HEADER_BYTES

const NO_REGISTRY: Reject = {
  reject: 'no_registry',
  message:
    'The value is framed for a schema registry (first byte 0), but none is set. Set SCHEMA_REGISTRY_URL and replay.',
}
const CUT_SHORT: Reject = {
  reject: 'undecodable',
  message: 'The value begins with byte 0 but is too short for a schema id. Send the whole Confluent wire format.',
}
