/**
 * Follows all partitions of a topic, read committed, from given positions on, without a consumer group: nothing to join, to
 * be allowed, or to clean up, and everyone who follows has all of it.
 *
 * One loop for each leader (`follow-leader.ts`) asks it for all of its partitions in one request, since a broker answers the
 * requests of a connection in order: an idle partition would hold up the others. The loop here asks who leads what, when
 * somebody had an error and now and then anyway, and starts what is missing. Nothing hangs on a single broker: a
 * partition whose leader does not answer is asked of the next one as soon as that is known, and of two answers the
 * later one is dropped.
 */
import { once, setMaxListeners } from 'node:events'
import type { Kafka, KafkaMessage } from 'kafkajs'
import { within } from '../operate/within.ts'
import { createFetcher, NO_LEADER } from './fetch.ts'
import { ANSWER_MS, type Following, LEAST_PAUSE_MS, longer, readLeader, rest, tellFailure } from './follow-leader.ts'
import { openOwnCluster } from './kafkajs-own-cluster.ts'

export interface FollowOptions {
  kafka: Kafka
  topic: string
  /**
   * Where to start, by partition; moves on with what was taken, over markers and aborted batches too. A partition that
   * is absent (added later, too) is read from its beginning.
   */
  positions: Map<number, bigint>
  /** With `false` the messages come without headers, which is faster. */
  headers?: boolean
  /**
   * In offset order, for one partition not again before it has settled; also called with no messages when the position
   * moved over offsets that hold none (markers, aborted, gone). `next` is the position after it. A message that is kept
   * keeps its whole answer in memory, up to 4 MB: copy what is to stay.
   */
  take: (partition: number, messages: KafkaMessage[], next: bigint) => void | Promise<void>
  /** Each time that nothing could be read: it is tried again, with growing pauses. */
  onFailure?: (error: Error) => void
  /**
   * After each answer of a broker, before its records are taken: Kafka is there. `ends` are the last stable offsets it
   * told, by partition (so that lag can be shown).
   */
  onAnswer?: (ends: ReadonlyMap<number, bigint>) => void
  /**
   * A position that the log does not have any more (retention, or the topic was made anew): `from` is where it goes on
   * instead: the log start when the position lay before it; the end when it lay beyond the end, for five seconds.
   */
  onGap?: (partition: number, position: bigint, from: bigint) => void
  /** Waits for what is not allowed, too, as for an outage. */
  patient?: boolean
  signal: AbortSignal
}

/** So that partitions that were added are found. */
const METADATA_MS = 15_000
const LEADERLESS_MS = 1_000
/** What `take` may still do after the end. */
const GRACE_MS = 800

const ENDED = Symbol('ended')

/**
 * Resolves when `signal` aborts; waits a moment for a `take` that is in hand. Rejects with what `take` or another of the
 * callbacks threw, and, unless it is patient, with what waiting cannot help. Waited out are an outage, a moved leader, a topic that is not there
 * yet, and, for its partition alone, a record batch that cannot be read.
 */
export async function follow(options: FollowOptions): Promise<void> {
  const { kafka, topic, signal } = options
  if (signal.aborted) return
  const stop = new AbortController()
  setMaxListeners(0, stop.signal)
  const bell = createBell(stop.signal)
  const fetcher = createFetcher(kafka, topic, openOwnCluster(kafka))
  const following: Following = {
    ...{ options, fetcher, signal: stop.signal, askForLeaders: bell.ring },
    fail: (error) => stop.abort(error),
    ...{ leaders: new Map(), loops: new Map(), resting: new Map(), taking: new Set() },
  }
  const end = () => stop.abort(ENDED)
  signal.addEventListener('abort', end)
  const ended = once(stop.signal, 'abort')
  const work = watchLeaders(following, bell).catch(following.fail)
  await ended
  signal.removeEventListener('abort', end)
  await fetcher.close()
  await within(GRACE_MS, work).catch(() => {}) // a `take` that hangs
  if (stop.signal.reason !== ENDED) throw stop.signal.reason
}

/** Until `signal` aborts and every loop has ended. */
async function watchLeaders(following: Following, bell: Bell): Promise<void> {
  const { fetcher, loops, signal } = following
  for (let pause = LEAST_PAUSE_MS; !signal.aborted; ) {
    try {
      following.leaders = await within(ANSWER_MS, fetcher.leaders())
    } catch (error) {
      if (signal.aborted) break
      tellFailure(following, error)
      await rest(following, pause)
      pause = longer(pause)
      continue
    }
    pause = LEAST_PAUSE_MS
    const nodes = new Set(following.leaders.values())
    const isWhole = !nodes.delete(NO_LEADER)
    for (const node of nodes) {
      if (!loops.has(node)) loops.set(node, readLeader(following, node).catch(following.fail))
    }
    await bell.wait(isWhole ? METADATA_MS : LEADERLESS_MS)
  }
  await Promise.all(loops.values())
}

type Bell = ReturnType<typeof createBell>

/** To wait for so long, or until it is rung; also when that was before. */
function createBell(signal: AbortSignal) {
  let isRung = false
  let wake = () => {}
  const ring = () => {
    isRung = true
    wake()
  }
  signal.addEventListener('abort', ring)
  const wait = async (ms: number) => {
    if (!isRung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    isRung = false
  }
  return { ring, wait }
}
