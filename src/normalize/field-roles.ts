import type { Json, JsonObject } from '../contract/record.ts'
import { remember } from './remember.ts'
import { plainName } from './sensitive-fields.ts'

/**
 * Finds a field by what it means, in bodies that write it in camelCase, PascalCase or snake_case. Names are compared
 * without case and separators; where an object has several of one meaning, the earlier name of the list is taken.
 */
export interface Role {
  /** The value of the first of the names that `accept` takes; null when there is none. */
  find<T>(object: JsonObject, accept: (value: Json, key: string) => T | null): T | null
}

/** @param names plain names (`sessionid`), best first. */
export function createRole(names: readonly string[]): Role {
  const ranks = new Map(names.map((name, rank) => [name, rank]))
  /** Place of a key in the list; -1 when it is not in it. */
  const rankOf = remember((key) => ranks.get(plainName(key)) ?? -1)

  return {
    find(object, accept) {
      let best = null
      let bestRank = names.length
      for (const key in object) {
        const rank = rankOf(key)
        if (rank < 0 || rank >= bestRank) continue
        const found = accept(object[key] as Json, key)
        if (found === null) continue
        best = found
        bestRank = rank
      }
      return best
    },
  }
}
