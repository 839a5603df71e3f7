import type { StatusUpdate } from '../../contract/status-update.ts'
import { createDecoder } from '../../decode/decoder.ts'
import { createSchemaReader } from '../../decode/registry.ts'
import { waitOut } from '../../operate/wait-out.ts'
import type { Settings } from '../../settings.ts'
import { tell } from '../command-line.ts'

export interface Unreadable {
  /** What is wrong with it, and the remedy. */
  readonly unreadable: string
}

export interface UpdateReader {
  /** Reads values of the status topic, JSON or Avro. A registry that is away is waited for. */
  read(values: Buffer[]): Promise<(StatusUpdate | Unreadable)[]>
}

/** What filters and the printed line rely on; the rest is shown as it came. */
function isUpdate(value: unknown): value is StatusUpdate {
  const update = value as Partial<Record<keyof StatusUpdate, unknown>> | null
  return (
    typeof update === 'object' &&
    typeof update?.status === 'string' &&
    typeof update.kind === 'string' &&
    typeof update.changed === 'boolean' &&
    typeof update.event_id === 'string' &&
    typeof update.occurred_at === 'string'
  )
}

export function createUpdateReader(registry: Settings['registry'], signal: AbortSignal): UpdateReader {
  const decoder = createDecoder(registry && createSchemaReader(registry))
  return {
    async read(values) {
      await waitOut(() => decoder.prepare(values), {
        signal,
        onFailure: (error, _, attempt) => {
          if (attempt === 1) tell(`Waiting for the schema registry at ${registry?.url}: ${error.message}`)
        },
      })
      return values.map((bytes) => {
        const decoded = decoder.decode(bytes)
        if ('reject' in decoded) return { unreadable: decoded.message }
        return isUpdate(decoded.value) ? decoded.value : { unreadable: 'it lacks the fields of one' }
      })
    },
  }
}
