/** Sessions and zones as the API shows them. */
import type { SessionSummary, ZoneView } from '../../../contract/api.ts'
import { isoOf } from '../../../contract/iso-time.ts'
import { isParked, type Keeper } from './keeper.ts'

export function summaryOf({ rows, sessions, zones, words }: Keeper, row: number, now: number): SessionSummary {
  const kept = sessions.read(row, Number.POSITIVE_INFINITY)
  const { revision, card, endsAt } = kept
  const zone = rows.zone[row] as number
  const word = rows.word[row] as number
  const parked = isParked(rows, row)
  return {
    session_id: sessions.keyOf(row),
    zone_id: zone < 0 ? null : zones.names.textOf(zone),
    card: card?.value ?? null,
    status: word < 0 ? null : words.textOf(word),
    parked,
    overdue: parked && endsAt !== null && endsAt.value < now,
    ends_at: endsAt && isoOf(endsAt.value),
    occurred_at: isoOf(rows.occurredAt[row] as number),
    revision,
    state: sessions.stateOf(row, kept),
  }
}

export function zoneView({ zones, words }: Keeper, id: string): ZoneView {
  const { parked, overdue, byWord } = zones.countsOf(zones.names.numberOf(id))
  // Not by assignment: a word may be `__proto__`.
  const by_status = Object.fromEntries(byWord.map(([word, count]) => [words.textOf(word), count]))
  return { zone_id: id, parked, overdue, by_status }
}

/** Ids of the zones, of these or (null) of all, in which somebody is parked, sorted. */
export function parkedZones({ zones }: Keeper, wanted: ReadonlySet<string> | null): string[] {
  const { names, parkedIn } = zones
  const found: string[] = []
  if (wanted) {
    for (const id of wanted) if (parkedIn(names.numberOf(id)) > 0) found.push(id)
  } else {
    for (let zone = 0; zone < names.end; zone++) if (parkedIn(zone) > 0) found.push(names.textOf(zone))
  }
  return found.sort()
}
