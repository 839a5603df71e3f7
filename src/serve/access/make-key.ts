import { randomBytes } from 'node:crypto'
import { keyDigest } from './api-keys.ts'
import type { Scope } from './caller.ts'
import type { KeyEntry } from './key-entry.ts'

/**
 * A new API key and its entry for the keys file. The key is shown to whom it is for, once; nothing keeps it.
 * @param zones null: all zones
 * @param expires ISO 8601 with a zone; null: never
 * What the arguments may be is for `entryProblems` of the entry to say.
 */
export function makeKey(
  id: string,
  scopes: readonly Scope[],
  zones: readonly string[] | null,
  expires: string | null,
): { key: string; entry: KeyEntry } {
  const key = `pmk_${randomBytes(32).toString('base64url')}`
  const entry: KeyEntry = { id, sha256: keyDigest(key), scopes: [...scopes] }
  if (zones !== null) entry.zones = [...zones]
  if (expires !== null) entry.expires = expires
  return { key, entry }
}
