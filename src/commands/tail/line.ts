import type { StatusUpdate } from '../../contract/status-update.ts'
import { printable } from '../dead-letters/letter.ts'

const present = (parts: (string | null)[]): string => parts.filter((part) => part !== null).join('  ')

/** One update as a line for a person: when, what about, from which status to which. */
export function line(update: StatusUpdate): string {
  const { session_id: session, event_id: event, zone_id: zone, card, event_type: type, ends_at: endsAt } = update
  const move = update.changed
    ? `${update.previous_status ?? '(new)'} → ${update.status}`
    : `${update.status} (confirmed)`
  const text = present([
    update.occurred_at,
    update.kind.padEnd(7),
    move,
    session === null ? `event ${event}` : `session ${session}`,
    zone === null ? null : `zone ${zone}`,
    card === null ? null : `card ${card}`,
    type,
    endsAt === null ? null : `ends ${endsAt}`,
    `#${update.revision}`,
  ])
  return printable(text).replaceAll('\n', ' ')
}
