/** The text of the file of API keys. It holds their digests only, so that who reads it cannot come in by it. */
import type { Caller } from './caller.ts'
import { callerOf, type EntryProblem, entryProblems, idOf, type KeyEntry } from './key-entry.ts'

/** Callers by the SHA-256 of their key, in lower-case hex digits. */
export type Keys = ReadonlyMap<string, Caller>

const EXAMPLE = '{ "keys": [ { "id": "mobile-backend", "sha256": "<64 hex digits>", "scopes": ["events:read"] } ] }'

const digestOf = (entry: unknown): string => String((entry as Partial<KeyEntry> | null)?.sha256).toLowerCase()

/** Two of one id could not be told apart in the log, and one key of two entries would have the rights of the last. */
function repetitions(entry: KeyEntry, before: readonly unknown[]): EntryProblem[] {
  const problems: EntryProblem[] = []
  if (before.some((other) => idOf(other) === entry.id)) {
    problems.push({ problem: 'has the id of an entry before it', example: `"id": "${entry.id.slice(0, 62)}-2"` })
  }
  if (before.some((other) => digestOf(other) === digestOf(entry))) {
    problems.push({ problem: 'has the key of an entry before it', example: 'a key of its own' })
  }
  return problems
}

/** What is wrong with an entry, beginning with its name. */
function problemsOf(entry: unknown, at: number, entries: readonly unknown[]): EntryProblem[] {
  const own = entryProblems(entry)
  const id = idOf(entry)
  const name = `keys[${at}]${id === null ? '' : ` "${id}"`}`
  const all = own.length > 0 ? own : repetitions(entry as KeyEntry, entries.slice(0, at))
  return all.map(({ problem, example }) => ({ problem: `${name} ${problem}`, example }))
}

/** The value of a JSON text; undefined: it is none. What V8 says of it is not told, since it may quote a key. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The keys of a text, or everything that is wrong with it. No keys at all are right: nobody is let in by one. */
export function parseKeys(text: string): { keys: Keys } | { problems: EntryProblem[] } {
  const file = parseJson(text) as { keys?: unknown } | null | undefined
  if (file === undefined) return { problems: [{ problem: 'is not JSON (jq tells where)', example: EXAMPLE }] }
  const entries = file?.keys
  if (!Array.isArray(entries)) return { problems: [{ problem: 'lacks the list "keys"', example: EXAMPLE }] }
  const problems = entries.flatMap(problemsOf)
  if (problems.length > 0) return { problems }
  return { keys: new Map((entries as KeyEntry[]).map((entry) => [digestOf(entry), callerOf(entry)])) }
}
