/**
 * Gives what is no longer in memory, from Kafka. After a restart thousands may come back at once: those who stand near each
 * other are served together, as a *company* (`company.ts`), by one reading. Few companies read at a time; one that has read
 * for a while gives its turn away if somebody waits for it.
 */
import { type Company, createCompany, type Member, type ReadBetween } from './company.ts'
import type { Listener } from './listeners.ts'
import type { Pacer } from './pacer.ts'
import { distance, type Position } from './position.ts'

export interface Replays {
  /** Gives a listener what lies behind a position, up to where the topic ended when that began, or as far as it comes. */
  replay(listener: Listener, from: Position): Promise<Replayed>
  leave(listener: Listener): void
  close(): void
}

export interface Replayed {
  /** Where the listener stands now. */
  position: number[]
  /** Why it was not read further, where that failed. */
  error?: unknown
}

export interface ReplaysOptions {
  readBetween: ReadBetween
  pacer: Pacer
  /** Where the topic ends now. */
  end: () => Position
  now?: () => number
}

const MOST_COMPANIES = 4
/** Offsets between the members of a company. */
const NEAR = 100_000
const TURN_MS = 10_000

interface Waiting extends Member {
  resolve(replayed: Replayed): void
}

export function createReplays({ readBetween, pacer, end, now = Date.now }: ReplaysOptions): Replays {
  const waiting = new Map<Listener, Waiting>()
  const companies = new Set<Company>()

  function gather(): Waiting[] {
    const [first] = waiting.values()
    if (!first) return []
    const near = [...waiting.values()].filter(({ position }) => distance(position, first.position) <= NEAR)
    for (const { listener } of near) waiting.delete(listener)
    return near
  }

  async function start(members: readonly Waiting[]): Promise<void> {
    const until = now() + TURN_MS
    const resolves = new Map(members.map(({ listener, resolve }) => [listener, resolve]))
    const company = createCompany(members, {
      pacer,
      isOver: () => waiting.size > 0 && now() > until,
      onLeft: ({ listener, position }, error) => resolves.get(listener)?.({ position, error }),
    })
    companies.add(company)
    await company.read(readBetween, end())
    companies.delete(company)
    next()
  }

  function next(): void {
    while (companies.size < MOST_COMPANIES && waiting.size > 0) start(gather())
  }

  function leave(listener: Listener): void {
    const member = waiting.get(listener)
    waiting.delete(listener)
    member?.resolve({ position: member.position })
    for (const company of companies) company.leave(listener)
  }

  return {
    leave,
    replay(listener, from) {
      return new Promise((resolve) => {
        waiting.set(listener, { listener, position: [...from], resolve })
        queueMicrotask(next) // for all who come at the same moment
      })
    },
    close() {
      for (const company of companies) company.close()
      for (const listener of [...waiting.keys()]) leave(listener)
    },
  }
}
