import type { Occupancy, SessionSummary, ZoneView } from '../../../../src/contract/api.ts'
import type { StatusUpdate } from '../../../../src/contract/status-update.ts'

/**
 * What a board must answer, told again without any of its parts: it keeps every update that ever came, and works out each
 * answer from the first of them on. Slow, and short enough to be believed.
 */
interface Entry {
  now: number
  key: string
  update: StatusUpdate | null
}

/** When a session was in a zone, in steps; `to` Infinity: it still is. */
interface Stay {
  zone: string | null
  from: number
  to: number
}

export interface NaiveOptions {
  now: () => number
  keepEndedMs: number
  historyMs: number
  stepMs: number
}

const isEnd = (word: string) => ['finished', 'expired', 'cancelled'].includes(word)
const isParked = ({ state: { session } }: StatusUpdate) => session !== undefined && !isEnd(session.status)
const descending = (a: string, b: string) => Buffer.compare(Buffer.from(b), Buffer.from(a))

export class NaiveBoard {
  #options: NaiveOptions
  #entries: Entry[] = []
  #latest = 0

  constructor(options: NaiveOptions) {
    this.#options = options
  }

  #now(): number {
    this.#latest = Math.max(this.#latest, this.#options.now())
    return this.#latest
  }

  apply(key: string, update: StatusUpdate | null): void {
    this.#entries.push({ now: this.#now(), key, update })
  }

  /** The updates of each session that count, with when they were first read. */
  #lives(): Map<string, Entry[]> {
    const lives = new Map<string, Entry[]>()
    for (const entry of this.#entries) {
      const { key, update, now } = entry
      let life = lives.get(key) ?? []
      if (update === null || this.#hasLeft(life, now)) life = []
      const newest = life.at(-1)?.update?.revision ?? 0
      const isOnBoard = life.length > 0 || update?.session_id !== null
      if (update && update.revision > newest && isOnBoard) life = [...life, entry]
      lives.set(key, this.#hasLeft(life, now) ? [] : life)
    }
    for (const [key, life] of lives) if (life.length === 0 || this.#hasLeft(life, this.#now())) lives.delete(key)
    return lives
  }

  #hasLeft(life: Entry[], now: number): boolean {
    const last = life.at(-1)
    if (!last?.update || isParked(last.update)) return false
    const times = Object.values(last.update.state).map(({ occurred_at }) => Date.parse(occurred_at))
    const heard = last.update.state.session?.occurred_at
    const end = heard === undefined ? Math.max(...times) : Date.parse(heard)
    return Math.min(end, last.now) + this.#options.keepEndedMs < now
  }

  #summary(key: string, life: Entry[]): SessionSummary {
    const updates = life.map(({ update }) => update as StatusUpdate)
    const last = updates.at(-1) as StatusUpdate
    const named = (field: 'zone_id' | 'card' | 'ends_at', among = updates) =>
      among.filter((one) => one[field] !== null).reduce((a: StatusUpdate | null, b) => (a && a.occurred_at > b.occurred_at ? a : b), null)?.[field] ?? null // biome-ignore format: one thought
    const ends_at =
      named(
        'ends_at',
        updates.filter(({ kind }) => kind === 'session'),
      ) ?? named('ends_at')
    const parked = isParked(last)
    return {
      ...{ session_id: key, zone_id: named('zone_id'), card: named('card') },
      ...{ status: last.state.session?.status ?? null, parked, ends_at },
      overdue: parked && ends_at !== null && Date.parse(ends_at) < this.#now(),
      occurred_at: Object.values(last.state).map((one) => one.occurred_at).sort().at(-1) as string, // biome-ignore format: one thought
      ...{ revision: last.revision, state: last.state },
    }
  }

  #all(): SessionSummary[] {
    return [...this.#lives()]
      .map(([key, life]) => this.#summary(key, life))
      .sort((a, b) => descending(a.occurred_at, b.occurred_at) || descending(a.session_id, b.session_id))
  }

  #stays(key: string, life: Entry[]): Stay[] {
    let stays: Stay[] = []
    const before = life[0]?.update
    if (before?.kind === 'session' && before.previous_status !== null && !isEnd(before.previous_status)) {
      stays.push({ zone: this.#summary(key, life.slice(0, 1)).zone_id, from: Number.NEGATIVE_INFINITY, to: Infinity })
    }
    for (const [i, { update, now }] of life.entries()) {
      const one = update as StatusUpdate
      const stepAt = (time: string) => {
        const known = stays.flatMap(({ from, to }) => [from, to]).filter(Number.isFinite)
        return Math.max(Math.ceil(Math.min(Date.parse(time), now) / this.#options.stepMs), ...known)
      }
      const zone = this.#summary(key, life.slice(0, i + 1)).zone_id
      stays = stays.map((stay) => ({ ...stay, zone: stay.zone ?? zone }))
      const current = () => stays.find(({ to }) => to === Infinity)
      const change = (step: number, next: string | null | undefined) => {
        const open = current()
        if (open) open.to = step
        if (next !== undefined) stays.push({ zone: next, from: step, to: Infinity })
        stays = joined(stays)
      }
      const open = current()
      if (open && open.zone !== zone) change(stepAt(one.occurred_at), zone)
      if (isParked(one) !== (current() !== undefined)) {
        change(stepAt(one.state.session?.occurred_at as string), isParked(one) ? zone : undefined)
      }
    }
    return stays
  }

  zone(zone_id: string): ZoneView {
    const parked = this.#all().filter((one) => one.parked && one.zone_id === zone_id)
    const words = new Set(parked.map(({ status }) => status as string))
    const by_status = Object.fromEntries(
      Array.from(words, (word) => [word, parked.filter(({ status }) => status === word).length]),
    )
    return { zone_id, parked: parked.length, overdue: parked.filter(({ overdue }) => overdue).length, by_status }
  }

  zones(zones: ReadonlySet<string> | null): ZoneView[] {
    const parked = this.#all().filter((one) => one.parked && one.zone_id !== null)
    const ids = new Set(parked.map(({ zone_id }) => zone_id as string))
    return [...ids].filter((id) => zones === null || zones.has(id)).sort().map((id) => this.zone(id)) // biome-ignore format: one thought
  }

  occupancy(zone: string | null, hours: number): Occupancy {
    const { stepMs, historyMs } = this.#options
    const now = this.#now()
    const stays = [...this.#lives()].flatMap(([key, life]) => this.#stays(key, life))
    const here = stays.filter((stay) => zone === null || stay.zone === zone)
    const points: Occupancy['points'] = []
    const first = Math.ceil((now - Math.min(hours * 3_600_000, historyMs)) / stepMs)
    for (let step = first; step * stepMs < now; step++) {
      const parked = here.filter(({ from, to }) => from <= step && step < to).length
      points.push({ at: new Date(step * stepMs).toISOString(), parked })
    }
    const parked = here.filter(({ to }) => to === Infinity).length
    return { step: stepMs, points: [...points, { at: new Date(now).toISOString(), parked }] }
  }

  /** All of them, in order. */
  sessions(choice: { zones: ReadonlySet<string> | null; zone?: string; status?: string; card?: readonly string[] }) {
    return this.#all().filter(
      ({ zone_id, status, card }) =>
        (choice.zones === null || (zone_id !== null && choice.zones.has(zone_id))) &&
        (choice.zone === undefined || zone_id === choice.zone) &&
        (choice.status === undefined || status === choice.status) &&
        (choice.card === undefined || (typeof card === 'string' && choice.card.includes(card))),
    )
  }

  session(id: string): SessionSummary | undefined {
    return this.#all().find(({ session_id }) => session_id === id)
  }

  get parked(): number {
    return this.#all().filter(({ parked }) => parked).length
  }
}

/** Without empty stays, and what goes on without a gap in one zone as one. */
function joined(stays: Stay[]): Stay[] {
  const result: Stay[] = []
  for (const stay of stays.filter(({ from, to }) => from !== to)) {
    const last = result.at(-1)
    if (last && last.to === stay.from && last.zone === stay.zone) last.to = stay.to
    else result.push({ ...stay })
  }
  return result
}
