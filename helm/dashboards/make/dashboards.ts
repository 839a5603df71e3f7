import { cache } from './cache.ts'
import { deadLetters } from './dead-letters.ts'
import { ingest } from './ingest.ts'
import { overview } from './overview.ts'
import { status } from './status.ts'

/** The text of each dashboard's file, by its name. */
export function dashboards(): [name: string, text: string][] {
  const all = { overview, ingest, status, cache, 'dead-letters': deadLetters }
  return Object.entries(all).map(([name, make]) => [name, `${JSON.stringify(make(), null, 2)}\n`])
}
