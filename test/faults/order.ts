import type { Random } from '../../src/simulate/random.ts'
import type { FaultRun, OwnRecord, Scenario } from './run.ts'

const SIMULATED = 3_000
const SESSIONS = 60
const RECORDS_PER_SESSION = 30
const YEAR_MS = 365 * 86_400_000

/** Most sessions have their records on several partitions, many of them late or sent twice; killed in the middle. */
async function spreadTraffic(run: FaultRun): Promise<void> {
  await run.send(SIMULATED, { spread: 0.8, late: 0.3, duplicates: 0.2, tombstones: 0.05 })
  await killedInTheMiddle(run)
}

/** Sessions of our own making: any partition, few different times, clocks that are years off. */
async function hostileTimes(run: FaultRun): Promise<void> {
  await run.produce('events', hostileRecords(run.random, run.inputPartitions))
  await killedInTheMiddle(run)
}

async function killedInTheMiddle(run: FaultRun): Promise<void> {
  const { fleet, random } = run
  const first = await fleet.start({ CHUNK_RECORDS: '20' })
  await run.workedOff(random.next() * 0.7)
  await fleet.end(first, 'kill9')
  await run.bury(first)
}

function hostileRecords(random: Random, partitions: number): OwnRecord[] {
  const now = Date.now()
  const records: OwnRecord[] = []
  for (let session = 0; session < SESSIONS; session++) {
    const times = timesOf(random, now)
    const events = random.int(1, RECORDS_PER_SESSION)
    for (let n = 0; n < RECORDS_PER_SESSION; n++) {
      const id = `event-${session}-${random.int(1, events)}`
      // Before or after what it invalidates, and on another partition or the same.
      const value = random.chance(0.08) ? null : JSON.stringify(eventOf(random, id, `session-${session}`, times))
      records.push({ partition: random.int(0, partitions - 1), key: id, value })
    }
  }
  return shuffled(random, records)
}

/**
 * Two milliseconds that nearly all records of a session share, and clocks that are years early or late; not beyond 2096,
 * when epoch milliseconds begin with a 4 and one in ten is a card number: that record would have no time.
 */
function timesOf(random: Random, now: number): [number, ...number[]] {
  const at = now - random.int(0, 60 * 86_400_000)
  const wrong = now + random.pick([-30, -1, 1, 50]) * YEAR_MS
  return [at, at, at, at + 1, at + 1, wrong, now + random.int(0, 600_000)]
}

function eventOf(random: Random, id: string, session: string, times: [number, ...number[]]): object {
  const at = random.pick(times)
  return {
    event_id: id,
    event_type: random.pick(['parking_start', 'parking_extend', 'parking_stop', 'parking_cancel', 'payment_ok']),
    card: '411111------1111',
    zone_id: String(random.int(1, 9)),
    session_data: { session_id: session },
    timestamp: random.chance(0.5) ? at : new Date(at).toISOString(),
    status: random.pick(['success', 'finished', 'on-going']),
    ...(random.chance(0.1) && { http_status: random.pick([500, 404, 0]) }),
  }
}

function shuffled<T>(random: Random, items: T[]): T[] {
  const rest = [...items]
  return items.map(() => rest.splice(random.int(0, rest.length - 1), 1)[0] as T)
}

export const scenarios: Scenario[] = [
  { name: 'sessions spread over input partitions, late and repeated', play: spreadTraffic },
  { name: 'events of one millisecond, clocks wrong by years, tombstones before and after', play: hostileTimes },
]
