/** The bounded memory of answers. Which ones stay is for a library's W-TinyLFU; here is what it is asked by subject. */
import transitory, { type Cache } from 'transitory'
import { type Answer, subjectOfEvent, weightOf } from './answer.ts'

export interface Entry {
  readonly answer: Answer
  /** Epoch ms at which its load began. */
  readonly loadedAt: number
  /** Epoch ms until which it is good, if nothing is heard of it. */
  freshUntil: number
  /** Something newer exists: it is only good for when the stores are away. */
  isOutdated: boolean
  hits: number
  readonly subjects: readonly string[]
}

export interface Store {
  get(key: string): Entry | undefined
  put(key: string, entry: Entry): void
  /** Entries about a subject, with its version in each; null where they are about it in another way. */
  about(subject: string): Iterable<[Entry, version: string | null]>
  clear(): void
  readonly size: number
  readonly bytes: number
}

/** What is larger than this part of the memory is not kept. */
const LARGEST_PART = 16

export function createStore(mostBytes: number, onEvicted: () => void): Store {
  /** Keys of lists by the subjects they are about; an event's own key is its subject. */
  const lists = new Map<string, Set<string>>()
  const entries: Cache<string, Entry> = transitory
    .newCache<string, Entry>()
    .maxSize(mostBytes)
    .withWeigher((key, { answer }) => weightOf(key, answer))
    .withRemovalListener((key, entry, reason) => {
      if (reason === transitory.RemovalReason.SIZE) onEvicted()
      for (const subject of entry.subjects) forget(subject, key)
    })
    .build()

  function forget(subject: string, key: string): void {
    const keys = lists.get(subject)
    keys?.delete(key)
    if (keys?.size === 0) lists.delete(subject)
  }

  return {
    get: (key) => entries.getIfPresent(key) ?? undefined,
    put(key, entry) {
      if (weightOf(key, entry.answer) * LARGEST_PART > mostBytes) {
        entries.delete(key)
        return
      }
      entries.set(key, entry)
      if (!entries.has(key)) return // it was not admitted
      for (const subject of entry.subjects) {
        const keys = lists.get(subject)
        if (keys === undefined) lists.set(subject, new Set([key]))
        else keys.add(key)
      }
    },
    *about(subject) {
      const own = entries.peek(subject)
      if (own) yield [own, own.answer.parts[0]?.version ?? null]
      for (const key of lists.get(subject) ?? []) {
        const entry = entries.peek(key)
        if (entry) yield [entry, entry.answer.parts.find(({ id }) => subjectOfEvent(id) === subject)?.version ?? null]
      }
    },
    clear: () => entries.clear(),
    get size() {
      return entries.size
    },
    get bytes() {
      return entries.weightedSize
    },
  }
}
