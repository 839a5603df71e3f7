import type { Random } from '../../src/simulate/random.ts'
import { isReady, launchProcessor, type Processor } from './processor.ts'

/** The processors of a run, as far as they live. */
export interface Fleet extends AsyncDisposable {
  /** In the order of their start. Those that ended by themselves, or by a signal sent past the fleet, are still here. */
  readonly members: readonly Processor[]
  /** Starts one with a drawn chunk size, and `extra` settings, and waits until it is ready. */
  start(extra?: Record<string, string>): Promise<Processor>
  /** The same without waiting, for one that is to die soon. */
  launch(extra?: Record<string, string>): Processor
  /** Kills or stops a member, by itself or by its place in the list, and forgets it. */
  end(member: Processor | number, how: 'kill9' | 'stop'): Promise<void>
  /** Forgets those that have ended; how many there were. */
  bury(): number
  /** Largest of all processors that were ended here, MiB; null where the system does not tell. */
  peakMemory(): number | null
}

/**
 * @param chunkRecords sizes to draw from at each start
 * @param placeOf settings of the lowest place that no living member has: a new one finds there what a dead one left
 */
export function createFleet(
  env: Record<string, string>,
  chunkRecords: readonly [number, ...number[]],
  random: Random,
  placeOf: (place: number) => Record<string, string> = () => ({}),
): Fleet {
  const members: Processor[] = []
  const places = new Map<Processor, number>()
  let started = 0
  let peak: number | null = null
  const freePlace = () => {
    const taken = new Set([...places].flatMap(([processor, place]) => (processor.hasEnded() ? [] : [place])))
    let place = 0
    while (taken.has(place)) place++
    return place
  }
  const launch = (extra: Record<string, string>) => {
    const place = freePlace()
    const own = { CHUNK_RECORDS: String(random.pick(chunkRecords)), KAFKA_CLIENT_ID: `processor-${++started}` }
    const processor = launchProcessor({ ...env, ...own, ...placeOf(place), ...extra })
    places.set(processor, place)
    members.push(processor)
    return processor
  }
  return {
    members,
    async start(extra = {}) {
      const processor = launch(extra)
      await isReady(processor)
      return processor
    },
    launch: (extra = {}) => launch(extra),
    async end(which, how) {
      const [member] = members.splice(typeof which === 'number' ? which : members.indexOf(which), 1)
      if (member === undefined) return
      const memory = await member.peakMemory()
      if (memory !== null) peak = Math.max(memory, peak ?? 0)
      await member[how]()
    },
    bury() {
      const dead = members.filter((member) => member.hasEnded())
      for (const member of dead) members.splice(members.indexOf(member), 1)
      return dead.length
    },
    peakMemory: () => peak,
    async [Symbol.asyncDispose]() {
      for (const member of members) await member[Symbol.asyncDispose]()
    },
  }
}
