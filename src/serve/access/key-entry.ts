/** The form of a keys file, and what can be wrong with it. No message quotes a key or its digest. */
import { type Caller, isScope, SCOPES, type Scope } from './caller.ts'

/** One key as the keys file has it. */
export interface KeyEntry {
  /** Names the key in the log and the rate limit. */
  id: string
  /** SHA-256 of the key, in hex digits. */
  sha256: string
  scopes: Scope[]
  /** Left out: all zones. */
  zones?: string[]
  /** ISO 8601, with a zone. Left out: never. */
  expires?: string
}

/** `problem` completes the sentence "the entry …"; `example` is a field that would be right. */
export interface EntryProblem {
  readonly problem: string
  readonly example: string
}

/** `pmk_` and 32 random bytes in base64url. So much chance needs no slow hash, and keeps passwords from being keys. */
export const KEY_FORM = /^pmk_[\w-]{43}$/
const LONGEST_ZONE = 1_024

const isId = (value: unknown): value is string =>
  typeof value === 'string' && /^[A-Za-z0-9][\w.-]{0,63}$/.test(value) && !/^(anonymous$|pmk_)/.test(value)

const isListOf = <T>(fits: (item: unknown) => item is T, value: unknown): value is T[] =>
  Array.isArray(value) && value.length > 0 && value.every(fits)

const isZone = (value: unknown): value is string =>
  typeof value === 'string' && value.trim() !== '' && value.length <= LONGEST_ZONE

const isTime = (value: unknown): value is string =>
  typeof value === 'string' &&
  /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(value) &&
  !Number.isNaN(Date.parse(value))

interface Field {
  readonly isRequired: boolean
  readonly fits: (value: unknown) => boolean
  readonly must: string
  readonly example: string
}

const FIELDS: Readonly<Record<keyof KeyEntry, Field>> = {
  id: {
    isRequired: true,
    fits: isId,
    must: 'be a name of 1 to 64 letters, digits, dots, hyphens or underscores',
    example: '"id": "mobile-backend"',
  },
  sha256: {
    isRequired: true,
    fits: (value) => typeof value === 'string' && /^[0-9a-f]{64}$/i.test(value),
    must: 'be the 64 hex digits of the SHA-256 of the key, never the key itself',
    example: '"sha256": "<printf %s "$KEY" | sha256sum>"',
  },
  scopes: {
    isRequired: true,
    fits: (value) => isListOf(isScope, value),
    must: `be a list of ${SCOPES.join(', ')}`,
    example: '"scopes": ["events:read"]',
  },
  zones: {
    isRequired: false,
    fits: (value) => isListOf(isZone, value),
    must: 'be a list of zone ids, as texts; leave it out for all zones',
    example: '"zones": ["10001"]',
  },
  expires: {
    isRequired: false,
    fits: isTime,
    must: 'be a time in ISO 8601 with its zone; leave it out for never',
    example: '"expires": "2027-01-01T00:00:00Z"',
  },
}
const NAMES = Object.keys(FIELDS) as (keyof KeyEntry)[]

/** A field that nobody knows may be a slip in `zones`, which would open every zone: so none is passed over. */
function unknownFields(entry: object): EntryProblem[] {
  return Object.keys(entry)
    .filter((name) => !(NAMES as string[]).includes(name))
    .map((name) => ({
      problem: `has ${/^\w{1,32}$/.test(name) ? `"${name}"` : 'a field'}, which is none of ${NAMES.join(', ')}`,
      example: FIELDS.zones.example,
    }))
}

/** Everything that is wrong with an entry; empty: it is a KeyEntry. */
export function entryProblems(entry: unknown): EntryProblem[] {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
    return [{ problem: 'is no object', example: `{ ${NAMES.map((name) => FIELDS[name].example).join(', ')} }` }]
  }
  const problems = unknownFields(entry)
  for (const name of NAMES) {
    const { isRequired, fits, must, example } = FIELDS[name]
    const value = (entry as Record<string, unknown>)[name]
    if (value === undefined ? isRequired : !fits(value)) {
      problems.push({ problem: `${value === undefined ? 'lacks' : 'has a wrong'} "${name}": it must ${must}`, example })
    }
  }
  return problems
}

/** The id of an entry that may have no right one. */
export const idOf = (entry: unknown): string | null => {
  const id = (entry as Partial<KeyEntry> | null)?.id
  return isId(id) ? id : null
}

export const callerOf = ({ id, scopes, zones, expires }: KeyEntry): Caller => ({
  id,
  scopes: new Set(scopes),
  zones: zones === undefined ? null : new Set(zones),
  expiresAt: expires === undefined ? null : Date.parse(expires),
})
