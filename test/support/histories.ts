import type { StatusUpdate } from '../../src/contract/status-update.ts'
import type { JudgedRecord } from './judge.ts'

/** What is wrong with the histories of keys, as their updates tell them: ids twice, gaps, another status before. */
export function wrongIn(records: readonly JudgedRecord[]): string[] {
  const wrong: string[] = []
  const [ids, revisions, words] = [new Set<string>(), new Map<string, number>(), new Map<string, string>()]
  for (const { key, value } of records) {
    const update = JSON.parse(String(value)) as StatusUpdate
    const before = revisions.get(String(key)) ?? 0
    if (ids.has(update.id)) wrong.push(`${key} has ${update.id} twice`)
    if (update.revision !== before + 1) wrong.push(`${key} goes from ${before} to ${update.revision}`)
    const place = `${key} ${update.kind}`
    if (update.previous_status !== (words.get(place) ?? null)) wrong.push(`${key} has another status before it`)
    ids.add(update.id)
    revisions.set(String(key), update.revision)
    words.set(place, update.status)
  }
  return wrong
}
