/**
 * Commits the offsets of a consumer group behind the work, so that no record waits for it: at most one request is on its
 * way, with the newest offset of each partition. What a crash leaves uncommitted comes again.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'

export interface NextOffset {
  topic: string
  partition: number
  /** The first one that is not done. */
  offset: string
}

/** Each request costs the broker a write to its log. */
const PAUSE_MS = 100
const PAUSE_AFTER_FAILURE_MS = 1_000

export interface Committer {
  /** Takes the offset along with the next request. */
  add(next: NextOffset): void
  /** Resolves when nothing is left to commit, or the attempt failed. Never rejects. */
  flush(): Promise<void>
  /** Drops what is left: another generation of the group decides now who owns the partitions. */
  forget(): void
}

export function createCommitter(commit: (offsets: NextOffset[]) => Promise<void>, log: Logger): Committer {
  let pending = new Map<string, NextOffset>()
  let generation = 0
  let request: Promise<boolean> | null = null
  let isWaiting = false

  const send = async (): Promise<boolean> => {
    const taken = pending
    const takenIn = generation
    pending = new Map()
    try {
      await commit([...taken.values()])
      return true
    } catch (error) {
      log.info({ reason: (error as Error).message }, 'offsets not committed')
      if (takenIn === generation) pending = new Map([...taken, ...pending])
      return false
    }
  }
  const sendOnce = (): Promise<boolean> => {
    request ??= send().finally(() => {
      request = null
    })
    return request
  }
  const sendNowAndThen = async () => {
    isWaiting = true
    while (pending.size > 0) {
      const worked = await sendOnce()
      await sleep(worked ? PAUSE_MS : PAUSE_AFTER_FAILURE_MS, undefined, { ref: false })
    }
    isWaiting = false
  }

  return {
    add(next) {
      pending.set(`${next.topic}/${next.partition}`, next)
      if (!isWaiting) sendNowAndThen()
    },
    async flush() {
      await request
      while (pending.size > 0) if (!(await sendOnce())) return
    },
    forget() {
      generation++
      pending = new Map()
    },
  }
}
