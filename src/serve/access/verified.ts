/**
 * What JWTs were found good a moment ago: a signature costs many times what a digest does. Bounded by number, what is
 * unused goes first; and by time, so that a key which the issuer has withdrawn is not good for as long as its JWTs.
 */
import { hash } from 'node:crypto'
import type { Caller } from './caller.ts'

const MOST = 10_000
const KEEP_MS = 5 * 60_000

export interface Verified {
  find(token: string): Caller | null
  add(token: string, caller: Caller): void
}

interface Entry {
  readonly caller: Caller
  readonly until: number
}

/** By digest: neither do secrets lie about in memory, nor can long ones fill it. */
const digestOf = (token: string): string => hash('sha256', token, 'base64')

export function createVerified(now: () => number, most = MOST): Verified {
  // Two generations: what is used moves to the young one, and when that is full, what stayed in the old one is dropped.
  // To delete and set an entry at each use would keep the order too, but a Map grows a chain of what was deleted:
  // 28 µs for a token that is used all the time, instead of 2.
  let young = new Map<string, Entry>()
  let old = new Map<string, Entry>()
  const put = (digest: string, entry: Entry) => {
    if (young.size >= most / 2) {
      old = young
      young = new Map()
    }
    young.set(digest, entry)
  }
  return {
    find(token) {
      const digest = digestOf(token)
      const found = young.get(digest) ?? old.get(digest)
      if (found === undefined || now() >= found.until) return null
      if (!young.has(digest)) put(digest, found)
      return found.caller
    },
    add(token, caller) {
      const until = Math.min(now() + KEEP_MS, caller.expiresAt ?? Number.POSITIVE_INFINITY)
      put(digestOf(token), { caller, until })
    },
  }
}
