import type { KindState } from '../../src/contract/status-update.ts'
import type { Head } from '../../src/status/fold.ts'
import type { Mark } from '../../src/status/heads/heads.ts'

export const START = Date.UTC(2026, 5, 1, 10)

/** A head of one session whose newest time is `minute` after START. */
export function head(revision: number, minute = 0, more: Partial<KindState> = {}): Head {
  const occurred_at = new Date(START + minute * 60_000).toISOString()
  return { revision, state: { session: { status: 'on-going', occurred_at, event_id: `e${minute}`, ...more } } }
}

export const mark = (offset: number): Mark => ({ offset: BigInt(offset), digest: '00112233445566ff' })
