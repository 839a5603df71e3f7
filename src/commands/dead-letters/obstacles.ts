import { type ReadToEndOptions, readToEnd } from '../../stream/read-to-end.ts'
import { type Letter, toLetter } from './letter.ts'

/** Why a chosen letter stays where it is. */
export type Obstacle =
  | 'a part of it was withheld'
  | 'it does not say where it came from'
  | 'its topic is not among EVENTS_TOPICS and RESPONSES_TOPICS'
  | 'its topic has no such partition'
  | 'it was replayed too often'
  | 'another one has the same source'
  | 'it has come back, and that letter is meant'
  | 'its topic refuses it'

/** Of each record that has come back, how often at most; by where it came from first. */
export interface Newest {
  before: Map<string, number>
  /** Since the run began: perhaps because of it. */
  since: Map<string, number>
}

export async function newestReplays(reading: Omit<ReadToEndOptions, 'onMessages'>, until: string): Promise<Newest> {
  const newest: Newest = { before: new Map(), since: new Map() }
  await readToEnd({
    ...reading,
    onMessages: (partition, messages) => {
      for (const message of messages) {
        const { origin, replays, time } = toLetter(partition, message)
        if (replays === 0) continue
        const counts = time < until ? newest.before : newest.since
        counts.set(origin, Math.max(replays, counts.get(origin) ?? 0))
      }
    },
  })
  return newest
}

/** `isDone`: an earlier part of the run has sent it, so that it may have come back since is no obstacle. */
export function obstaclesOf(partitions: ReadonlyMap<string, number>, newest: Newest, mostReplays: number) {
  return ({ source, altered, replays, origin }: Letter, isDone: boolean): Obstacle | null => {
    if (Object.values(altered).includes('withheld')) return 'a part of it was withheld'
    if (source.topic === null || source.partition === null || source.offset === null)
      return 'it does not say where it came from'
    const count = partitions.get(source.topic)
    if (count === undefined) return 'its topic is not among EVENTS_TOPICS and RESPONSES_TOPICS'
    if (source.partition >= count) return 'its topic has no such partition'
    const since = isDone ? 0 : (newest.since.get(origin) ?? 0)
    if (Math.max(newest.before.get(origin) ?? 0, since) > replays) return 'it has come back, and that letter is meant'
    return replays >= mostReplays ? 'it was replayed too often' : null
  }
}
