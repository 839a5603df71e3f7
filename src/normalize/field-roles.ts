import type { Json, JsonObject } from '../contract/record.ts'
import { plainName } from './sensitive-fields.ts'

/**
 * Finds a field by what it means, in bodies that write it in camelCase, PascalCase or snake_case. Names are compared
 * without case and separators; where an object has several of one meaning, the earlier name of the list is taken.
 */
export interface Role {
  /** The value of the first of the names that `accept` takes; null when there is none. */
  find<T>(object: JsonObject, accept: (value: Json) => T | null): T | null
}

const REMEMBERED_KEYS = 5000

/** @param names plain names (`sessionid`), best first. */
export function createRole(names: readonly string[]): Role {
  const ranks = new Map(names.map((name, rank) => [name, rank]))
  let known = new Map<string, number>()

  /** Place of a key in the list; -1 when it is not in it. */
  function rankOf(key: string): number {
    const rank = ranks.get(plainName(key)) ?? -1
    if (known.size >= REMEMBERED_KEYS) known = new Map()
    if (key.length <= 64) known.set(key, rank)
    return rank
  }

  return {
    find(object, accept) {
      let best = null
      let bestRank = names.length
      for (const key in object) {
        const rank = known.get(key) ?? rankOf(key)
        if (rank < 0 || rank >= bestRank) continue
        const found = accept(object[key] as Json)
        if (found === null) continue
        best = found
        bestRank = rank
      }
      return best
    },
  }
}
