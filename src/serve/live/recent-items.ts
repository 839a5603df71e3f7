/** The newest updates of each partition, so that who comes back finds what was missed in memory. */
import type { Item } from './item.ts'
import type { Position } from './position.ts'

export interface RecentItems {
  /** In the order of their partition. */
  add(items: readonly Item[]): void
  /** The partition was read up to here: what lies before and is not here was none. */
  reached(partition: number, next: bigint): void
  /** Those at and after a position, by partition in order; null when some may have been forgotten. */
  since(position: Position): Item[] | null
}

/** A ring in two halves: when the newer one is full, the older one is forgotten. */
interface Half {
  /** All items from here on are in it, up to where the next half begins. */
  from: bigint
  items: Item[]
}

/** @param mostItems of a partition. */
export function createRecentItems(mostItems: number): RecentItems {
  const mostOfHalf = Math.max(1, Math.floor(mostItems / 2))
  const halves: ([older: Half, newer: Half] | undefined)[] = []

  function halvesOf(partition: number, first: bigint): [Half, Half] {
    const known = halves[partition]
    if (known) return known
    const begun: [Half, Half] = [
      { from: first, items: [] },
      { from: first, items: [] },
    ]
    halves[partition] = begun
    return begun
  }

  return {
    add(items) {
      for (const item of items) {
        const both = halvesOf(item.partition, item.offset)
        if (both[1].items.length === mostOfHalf) {
          both[0] = both[1]
          both[1] = { from: item.offset, items: [] }
        }
        both[1].items.push(item)
      }
    },
    reached(partition, next) {
      halvesOf(partition, next)
    },
    since(position) {
      const found: Item[] = []
      for (const [partition, at] of position.entries()) {
        const both = halves[partition]
        if (!both) return null
        if (at < both[0].from) return null
        for (const { items } of both) for (const item of items) if (item.offset >= at) found.push(item)
      }
      return found
    },
  }
}
