/** Puts together what several partitions have at the same time, so that one request to the store and one to the broker do for all. */
import type { SourceRecord } from '../contract/record.ts'
import type { Turn } from './turns.ts'

/** Records of one partition, in order. */
export interface Portion {
  turn: Turn
  records: SourceRecord[]
  /** The Kafka timestamp of the first of them, also where that was sent again; epoch ms. */
  since: number
}

interface Waiting {
  portion: Portion
  settle: (outcome: Promise<void>) => void
}

/**
 * Gives a function that resolves when its portion has been worked on, with others that were there: whole portions, together
 * of at most `size` records, or a larger one alone. At most `most` chunks are at work; meanwhile portions gather. A partition
 * waits for its portion before it brings the next, so its records stay in order.
 */
export function createGathering(
  size: number,
  most: number,
  work: (portions: Portion[]) => Promise<void>,
): (portion: Portion) => Promise<void> {
  let waiting: Waiting[] = []
  let working = 0
  let isDue = false

  const begin = () => {
    isDue = false
    while (working < most && waiting.length > 0) workOn(takeChunk())
  }
  const takeChunk = (): Waiting[] => {
    let records = 0
    let count = 0
    for (const { portion } of waiting) {
      records += portion.records.length
      if (count > 0 && records > size) break
      count++
    }
    const chunk = waiting.slice(0, count)
    waiting = waiting.slice(count)
    return chunk
  }
  const workOn = (chunk: Waiting[]) => {
    working++
    const outcome = work(chunk.map(({ portion }) => portion)).finally(() => {
      working--
      begin()
    })
    for (const { settle } of chunk) settle(outcome)
  }

  return (portion) =>
    new Promise((settle) => {
      waiting.push({ portion, settle })
      // The other partitions of the same fetch come within this turn of the event loop.
      if (!isDue) setImmediate(begin)
      isDue = true
    })
}

/** By where a record came from: the Kafka timestamp (epoch ms) of the first of these that came from there. */
export function timestampsOf(portions: readonly Portion[]): (source: { topic: string; partition: number }) => number {
  const all = new Map<string, number>()
  const placeOf = ({ topic, partition }: { topic: string; partition: number }) => `${topic}/${partition}`
  for (const { turn, since } of portions) {
    const place = placeOf(turn)
    all.set(place, Math.min(since, all.get(place) ?? since))
  }
  return (source) => all.get(placeOf(source)) ?? Date.now()
}
