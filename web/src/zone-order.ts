import type { ZoneView } from '../../src/contract/api.ts'

export type SortKey = 'zone' | 'parked' | 'overdue'

/** An order that was taken at one moment and then stays, so that no row moves away under the reader's eyes. */
export interface Order {
  by: SortKey
  descending: boolean
  rank: ReadonlyMap<string, number>
}

const byId = new Intl.Collator('en', { numeric: true })

function compare(by: SortKey, descending: boolean): (a: ZoneView, b: ZoneView) => number {
  const sign = descending ? -1 : 1
  const first = by === 'zone' ? byIdOf : (a: ZoneView, b: ZoneView) => a[by] - b[by]
  return (a, b) => sign * first(a, b) || byIdOf(a, b)
}

const byIdOf = (a: ZoneView, b: ZoneView) => byId.compare(a.zone_id, b.zone_id)

export function takeOrder(zones: readonly ZoneView[], by: SortKey, descending: boolean): Order {
  const sorted = [...zones].sort(compare(by, descending))
  return { by, descending, rank: new Map(sorted.map(({ zone_id }, place) => [zone_id, place])) }
}

/** By the order as it was taken; zones that came later stand at the end, by id. */
export function arrange(zones: readonly ZoneView[], { rank }: Order): ZoneView[] {
  const place = ({ zone_id }: ZoneView) => rank.get(zone_id) ?? Number.MAX_SAFE_INTEGER
  return [...zones].sort((a, b) => place(a) - place(b) || byIdOf(a, b))
}

/** Whether sorting now would move something. */
export function isOff(arranged: readonly ZoneView[], { by, descending }: Order): boolean {
  const order = compare(by, descending)
  return arranged.some((zone, i) => i > 0 && order(arranged[i - 1] as ZoneView, zone) > 0)
}

export function matching(zones: readonly ZoneView[], search: string, overdueOnly: boolean): ZoneView[] {
  const text = search.trim().toLowerCase()
  return zones.filter(
    ({ zone_id, overdue }) => (!overdueOnly || overdue > 0) && (text === '' || zone_id.toLowerCase().includes(text)),
  )
}

export interface Totals {
  parked: number
  overdue: number
  by_status: Record<string, number>
}

export function totalsOf(zones: readonly ZoneView[]): Totals {
  const totals: Totals = { parked: 0, overdue: 0, by_status: Object.create(null) }
  for (const zone of zones) {
    totals.parked += zone.parked
    totals.overdue += zone.overdue
    for (const [word, n] of Object.entries(zone.by_status)) {
      totals.by_status[word] = (totals.by_status[word] ?? 0) + n
    }
  }
  return totals
}

/** The words with how many, the most first. */
export const wordsOf = (by_status: Record<string, number>): [string, number][] =>
  Object.entries(by_status)
    .filter(([, n]) => n > 0)
    .sort(([a, n], [b, m]) => m - n || byId.compare(a, b))
