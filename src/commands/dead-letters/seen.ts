import type { Letter } from './letter.ts'

/** Offsets of one partition that share a set: a set takes 16 million, and is given memory at once when it grows. */
const SHARED = 2 ** 20

/**
 * Tells whether a record was met before, by where it came from: ingest sends a dead letter again after a crash. Keeps one
 * number a letter.
 */
export function createSeen(): (letter: Letter) => boolean {
  const offsets = new Map<string, Set<number>>()
  return ({ source: { topic, partition, offset } }) => {
    const number = Number(offset)
    const block = `${topic}/${partition}/${Math.floor(number / SHARED)}`
    const seen = offsets.get(block) ?? new Set()
    if (seen.has(number)) return true
    offsets.set(block, seen.add(number))
    return false
  }
}
