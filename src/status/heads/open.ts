import { accessSync, constants, mkdirSync } from 'node:fs'
import type { Logger } from 'pino'
import { openHeadsOnDisk } from './disk.ts'
import type { Heads } from './heads.ts'
import { openHeadsInMemory } from './memory.ts'

/**
 * Opens the heads of a lane: below `stateDir`, or in memory where that is null.
 * Throws an Error with the remedy when the directory cannot be made or written.
 */
export function headsOpener(stateDir: string | null, topic: string, log: Logger): (partition: number) => Heads {
  if (stateDir === null) return openHeadsInMemory
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 })
    accessSync(stateDir, constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw new Error(
      `STATE_DIR ${stateDir} cannot be used: ${(cause as Error).message}. ` +
        'Let this process write there, name another directory, or unset STATE_DIR to keep heads in memory',
      { cause },
    )
  }
  return (partition) => openHeadsOnDisk({ stateDir, topic, partition, log })
}
