import type { Head } from '../fold.ts'
import { type Heads, type Mark, newestOf } from './heads.ts'

/** Heads in a plain map: nothing to set up, restored from the topic at each opening; about 500 bytes a key. */
export function openHeadsInMemory(): Heads {
  const heads = new Map<string, Head>()
  let mark: Mark | null = null
  let round = heads.entries()
  const clear = () => {
    heads.clear()
    mark = null
  }
  return {
    get size() {
      return heads.size
    },
    get mark() {
      return mark
    },
    get: (key) => heads.get(key),
    put(changes, newMark) {
      for (const [key, head] of changes) {
        if (head === null) heads.delete(key)
        else heads.set(key, head)
      }
      mark = newMark ?? mark
    },
    due(before, slices) {
      const due: string[] = []
      for (let left = Math.ceil(heads.size / slices); left > 0; left--) {
        let next = round.next()
        if (next.done) {
          round = heads.entries()
          next = round.next()
        }
        if (next.done) break
        const [key, head] = next.value
        if (newestOf(head) < before) due.push(key)
      }
      return due
    },
    close: clear,
    discard: clear,
  }
}
