/** The newest updates of each partition, so that who comes back finds what was missed in memory. */
import type { Item } from './item.ts'
import { offsetIn, type Position } from './position.ts'

export interface RecentItems {
  /** Of this partition all is here from `offset` on, and nothing before it. */
  begin(partition: number, offset: number): void
  /** In the order of their partition. Where it did not begin elsewhere, that was at 0. */
  add(partition: number, items: readonly Item[]): void
  /** Those at and after a position, by partition in order; null when some may have been forgotten. */
  since(position: Position): Item[] | null
}

/** A ring in two halves: when the newer one is full, the older one is forgotten. */
interface Half {
  /** All items from here on are in it, up to where the next half begins. */
  from: number
  items: Item[]
  characters: number
}

/** Characters of a partition: what is large is kept in lesser numbers. */
const MOST_CHARACTERS = 4 * 1024 * 1024

/** @param mostItems of a partition; at least half as many are there, where they are not large. */
export function createRecentItems(mostItems: number, mostCharacters = MOST_CHARACTERS): RecentItems {
  const mostOfHalf = Math.max(1, Math.ceil(mostItems / 2))
  const rings: ([older: Half, newer: Half] | undefined)[] = []

  const isFull = ({ items, characters }: Half) => items.length === mostOfHalf || characters > mostCharacters / 2

  return {
    begin(partition, offset) {
      rings[partition] = [halfFrom(offset), halfFrom(offset)]
    },
    add(partition, items) {
      rings[partition] ??= [halfFrom(0), halfFrom(0)]
      const ring = rings[partition]
      for (const item of items) {
        if (isFull(ring[1])) {
          ring[0] = ring[1]
          ring[1] = halfFrom(item.offset)
        }
        ring[1].items.push(item)
        ring[1].characters += item.json.length
      }
    },
    since(position) {
      const found: Item[] = []
      for (const [partition, ring] of rings.entries()) {
        if (ring === undefined) continue
        const at = offsetIn(position, partition)
        if (at < ring[0].from) return null
        for (const { items } of ring) pushFrom(found, items, at)
      }
      return found
    },
  }
}

const halfFrom = (from: number): Half => ({ from, items: [], characters: 0 })

function pushFrom(found: Item[], items: readonly Item[], offset: number): void {
  let [low, high] = [0, items.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((items[middle] as Item).offset < offset) low = middle + 1
    else high = middle
  }
  for (; low < items.length; low++) found.push(items[low] as Item)
}
