import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SCOPES, type Scope } from '../../src/serve/access/access.ts'
import type { KeyEntry } from '../../src/serve/access/key-entry.ts'
import { makeKey } from '../../src/serve/access/make-key.ts'

/** A keys file that can change, and the keys that its entries are of. */
export interface AccessKeys extends Disposable {
  /** Where the file is, alone. */
  readonly directory: string
  readonly file: string
  /** What the file has, once it is written, by id. */
  readonly entries: Map<string, KeyEntry>
  /** What clients send, by id. */
  readonly secrets: Map<string, string>
  newKey(id: string, scopes: readonly Scope[], zones?: string[] | null, expires?: string | null): void
  writeKeys(): void
  /** The header of who has this key. */
  keyOf(id: string): Credential
}

export interface Credential extends Record<string, string> {
  authorization: string
}

export const bearer = (credential: string): Credential => ({ authorization: `Bearer ${credential}` })

/** Keys of all scopes, of zone A1 or B2 alone, of some scopes, of each scope alone, one expired, one for a test to take away. */
export function createAccessKeys(): AccessKeys {
  const directory = mkdtempSync(join(tmpdir(), 'serve-access-'))
  const file = join(directory, 'keys.json')
  const entries = new Map<string, KeyEntry>()
  const secrets = new Map<string, string>()
  const newKey: AccessKeys['newKey'] = (id, scopes, zones = null, expires = null) => {
    const { key, entry } = makeKey(id, scopes, zones, expires)
    entries.set(id, entry)
    secrets.set(id, key)
  }
  newKey('all', SCOPES)
  newKey('zone-a', SCOPES, ['A1'])
  newKey('zone-b', SCOPES, ['B2'])
  newKey('without-cards', ['events:read', 'status:read', 'metrics:read'])
  newKey('events-and-cards', ['events:read', 'cards:read'])
  newKey('status-and-cards', ['status:read', 'cards:read'])
  for (const scope of SCOPES) newKey(scope.replace(':', '-'), [scope])
  newKey('expired', SCOPES, null, '2020-01-01T00:00:00Z')
  newKey('to-be-withdrawn', SCOPES)

  return {
    ...{ directory, file, entries, secrets, newKey },
    writeKeys: () => writeFileSync(file, JSON.stringify({ keys: [...entries.values()] }), { mode: 0o600 }),
    keyOf: (id) => bearer(secrets.get(id) as string),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  }
}
