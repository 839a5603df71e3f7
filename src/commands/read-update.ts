import type { StatusUpdate } from '../contract/status-update.ts'
import { createDecoder } from '../decode/decoder.ts'
import { createSchemaReader } from '../decode/registry.ts'
import { waitOut } from '../operate/wait-out.ts'
import type { Settings } from '../settings.ts'

export interface Unreadable {
  /** What is wrong with it, and the remedy. */
  readonly unreadable: string
}

/** Reads values of the status topic, JSON or Avro. A registry that is away is waited for, and `onWait` told of it. */
export type ReadUpdates = (values: Buffer[]) => Promise<(StatusUpdate | Unreadable)[]>

export function createUpdateReader(
  registry: Settings['registry'],
  signal: AbortSignal,
  onWait: (error: Error) => void,
): ReadUpdates {
  const decoder = createDecoder(registry && createSchemaReader(registry))
  return async (values) => {
    await waitOut(() => decoder.prepare(values), {
      signal,
      onFailure: (error, _, attempt) => {
        if (attempt === 1) onWait(error)
      },
    })
    return values.map((bytes) => {
      const ours = parsed(bytes)
      if (isUpdate(ours)) return ours
      const decoded = decoder.decode(bytes)
      if ('reject' in decoded) return { unreadable: decoded.message }
      return isUpdate(decoded.value) ? decoded.value : { unreadable: 'it lacks the fields of one' }
    })
  }
}

/** Of JSON as this program writes it, which has no number that this way of reading would round; a few times faster. */
function parsed(bytes: Buffer): unknown {
  if (bytes[0] !== OPENING_BRACE) return null
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return null
  }
}

const OPENING_BRACE = 0x7b

/** What those who show and filter updates rely on; the rest is shown as it came. */
function isUpdate(value: unknown): value is StatusUpdate {
  const update = value as Partial<Record<keyof StatusUpdate, unknown>> | null
  return (
    typeof update === 'object' &&
    typeof update?.status === 'string' &&
    typeof update.kind === 'string' &&
    typeof update.changed === 'boolean' &&
    typeof update.event_id === 'string' &&
    typeof update.occurred_at === 'string' &&
    Number.isSafeInteger(update.revision) &&
    typeof update.state === 'object' &&
    update.state !== null
  )
}
