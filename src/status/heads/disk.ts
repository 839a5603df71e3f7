/**
 * Heads on disk: a log of heads in files that are only appended to, and a table in memory of 12 bytes a slot that says where
 * the latest head of each key is. `docs/decisions/heads-on-disk.md` tells why.
 *
 * It is a cache of the status topic, and never more: a set of heads and the mark that they stand for. Any such pair that was
 * right once is right for ever, since what came after the mark is read from the topic again. Hence what can go wrong:
 *
 *   kill -9, power failure       the frames written whole since the last checkpoint count, the rest is read again
 *   bytes flipped, files cut     a checksum says so, at the opening or when a head is read; the store is discarded
 *   files lost, another format   the same
 *   disk full                    nothing of a frame counts that is not whole; the lane closes and opens again until it can
 *   two processes, one lane      each writes only files of its own name; of the other's it counts what it saw at its opening
 *   an owner that wakes up late  the same; what it deletes or writes can cost the other a restore, not more
 *   too old                      discarded: the broker forgets tombstones a day after they were written
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { probe, readCheckpoints } from './checkpoint.ts'
import { DiskHeads } from './disk-heads.ts'
import type { Heads } from './heads.ts'
import { asHeadsError, closeLog, damaged, type Log, openLog } from './log.ts'

export interface DiskOptions {
  stateDir: string
  topic: string
  partition: number
  log: Logger
  /** Epoch ms; another clock for tests. */
  now?: () => number
}

/** Below `delete.retention.ms`, a day: nothing that the topic has forgotten may live on here. */
const MOST_AGE_MS = 20 * 3_600_000

/** Where the heads of one lane are. */
export const directoryOf = ({ stateDir, topic, partition }: Omit<DiskOptions, 'log'>): string =>
  join(stateDir, topic, String(partition))

/**
 * Opens what is stored, or begins anew where nothing is, or what is there is damaged or too old.
 * Throws HeadsError when the directory cannot be written.
 */
export function openHeadsOnDisk(options: DiskOptions): Heads {
  const { log, partition, now = Date.now } = options
  const dir = directoryOf(options)
  const owner = randomBytes(6).toString('hex')
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    probe(dir, owner, (file) => rmSync(join(dir, file)))
    const heads = openStored(dir, owner, now, ({ message }) =>
      log.warn({ partition, reason: message }, 'stored heads are discarded, the status topic has them all'),
    )
    heads.sweepFiles()
    return heads
  } catch (error) {
    throw asHeadsError(error, dir)
  }
}

function openStored(dir: string, owner: string, now: () => number, onDamaged: (error: Error) => void): DiskHeads {
  for (const checkpoint of readCheckpoints(dir, onDamaged)) {
    const opened: Log[] = []
    try {
      for (const name of checkpoint.logs) opened.push(openLog(dir, name))
      const heads = new DiskHeads(dir, owner, now, { ...checkpoint, logs: opened })
      const age = now() - heads.writtenAt
      if (age >= 0 && age < MOST_AGE_MS) return heads
      throw damaged(
        `${dir} was written last ${Math.round(age / 3_600_000)} hours ago, and may miss what has ended since`,
      )
    } catch (error) {
      onDamaged(error as Error)
      opened.forEach(closeLog)
    }
  }
  return new DiskHeads(dir, owner, now, null)
}
