/** `serve --make-key`: a new API key, shown once, and its entry for the keys file. */
import type { Scope } from '../../serve/access/access.ts'
import { entryProblems } from '../../serve/access/key-entry.ts'
import { makeKey } from '../../serve/access/make-key.ts'
import { print, UsageError } from '../command-line.ts'

export const OPTIONS = {
  'make-key': { type: 'string' },
  scopes: { type: 'string' },
  zones: { type: 'string' },
  expires: { type: 'string' },
} as const

type Values = { [name in keyof typeof OPTIONS]?: string | undefined }

const listOf = (text: string) => text.split(',').map((item) => item.trim())

/** A day begins at midnight, UTC. */
const timeOf = (text: string) => (/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text)

/** @throws UsageError with everything that is wrong. */
export function printNewKey({ 'make-key': id, scopes, zones, expires }: Values): number {
  if (id === undefined) throw new UsageError('--scopes, --zones and --expires are for --make-key')
  if (scopes === undefined) throw new UsageError('--make-key needs --scopes, such as --scopes events:read,status:read')
  const made = makeKey(
    id,
    listOf(scopes) as Scope[],
    zones === undefined ? null : listOf(zones),
    expires === undefined ? null : timeOf(expires),
  )
  const problems = entryProblems(made.entry)
  if (problems.length > 0) {
    throw new UsageError(
      `the entry ${problems.map(({ problem, example }) => `${problem}, such as ${example}`).join('; ')}`,
    )
  }
  print(JSON.stringify(made, null, 2))
  return 0
}
