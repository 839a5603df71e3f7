import type { Reject } from '../contract/dead-letter.ts'
import type { Decoded } from './json.ts'
import { rejectFrom } from './rejected.ts'
import { createLookUp, type Read, type RegistrySettings } from './schema-look-up.ts'

export { type RegistrySettings, RegistryUnavailable } from './schema-look-up.ts'

/** Reads payloads by the schemas of a registry. */
export interface SchemaReader {
  /**
   * Fetches what is not known yet of these schemas. Look-ups in flight are shared; schemas are kept for good, failures
   * for half a minute.
   * @throws RegistryUnavailable when the registry cannot be asked. Never for a schema that it does not know.
   */
  prepare(ids: Iterable<number>): Promise<void>
  /** Decodes a payload by a schema that was prepared. */
  decode(id: number, payload: Buffer): Decoded
}

export interface RegistryTimes {
  /** Longest silence of the registry within a request, milliseconds. */
  requestTimeoutMs: number
  /** Longest look-up, repetitions and references included, milliseconds. */
  lookUpTimeoutMs: number
  /** How long a failed look-up is not repeated, milliseconds. */
  rememberFailureMs: number
}

const TIMES: RegistryTimes = { requestTimeoutMs: 5_000, lookUpTimeoutMs: 15_000, rememberFailureMs: 30_000 }

/** Ids of garbage that happens to begin with byte 0 are many; the memory of failures is bounded by starting afresh. */
const MOST_FAILURES = 10_000

export function createSchemaReader(settings: RegistrySettings, times: Partial<RegistryTimes> = {}): SchemaReader {
  const { rememberFailureMs, ...limits } = { ...TIMES, ...times }
  const lookUp = createLookUp(settings, limits)
  const readers = new Map<number, Read>()
  const failures = new Map<number, { reject: Reject; until: number }>()
  const inFlight = new Map<number, Promise<void>>()

  async function fetchSchema(id: number): Promise<void> {
    try {
      const found = await lookUp(id)
      if (typeof found === 'function') readers.set(id, found)
      else {
        if (failures.size >= MOST_FAILURES) failures.clear()
        failures.set(id, { reject: found, until: Date.now() + rememberFailureMs })
      }
    } finally {
      inFlight.delete(id)
    }
  }

  function known(id: number): Promise<void> | undefined {
    if (readers.has(id) || Date.now() < (failures.get(id)?.until ?? 0)) return undefined
    const running = inFlight.get(id) ?? fetchSchema(id)
    inFlight.set(id, running)
    return running
  }

  return {
    async prepare(ids) {
      await Promise.all([...ids].map(known))
    },
    decode(id, payload) {
      const read = readers.get(id)
      if (read !== undefined) return decodeWith(read, payload, id)
      const failure = failures.get(id)
      if (failure === undefined)
        throw new Error(`Schema ${id} was not prepared. Call prepare with the value before decode.`)
      return failure.reject
    },
  }
}

function decodeWith(read: Read, payload: Buffer, id: number): Decoded {
  try {
    return { value: read(payload) }
  } catch (error) {
    return rejectFrom(error, id)
  }
}
