/** How the documents of a chunk get into MongoDB; of one that it refuses, which of its records is to blame. */
import type { CacheDocument } from './contract/document.ts'
import type { DocumentStore, WriteResult } from './documents/store.ts'
import type { Entry, Rejected } from './place-chunk.ts'

export type Existing = Awaited<ReturnType<DocumentStore['read']>>

export interface Written extends Omit<WriteResult, 'refused'> {
  refused: Rejected[]
}

/** @param take gives the documents; asked again only where one is refused, so that they need not be kept meanwhile. */
export async function writeDocuments(
  store: DocumentStore,
  take: () => Map<string, Entry>,
  existing: Existing,
): Promise<Written> {
  const documents = () => Array.from(take().values(), ({ document }) => document)
  const { refused, ...results } = await store.write(documents, existing)
  const written: Written = { ...results, refused: [] }
  if (refused.size === 0) return written
  const entries = take()
  for (const [id, message] of refused) {
    const { parts } = entries.get(id) as Entry
    const only = parts.length === 1 ? parts[0] : undefined
    if (only) written.refused.push({ record: only.record, reject: { reject: 'unstorable', message } })
    else for (const part of parts) await writePart(store, part, written)
  }
  return written
}

/** One of several records of a refused document: it may be another that cannot be stored. */
async function writePart(store: DocumentStore, { record, document }: Entry['parts'][0], written: Written) {
  const { refused, ...results } = await store.write([document], await store.read([document._id]))
  for (const name of ['inserted', 'updated', 'unchanged'] as const) written[name] += results[name]
  for (const message of refused.values()) written.refused.push({ record, reject: { reject: 'unstorable', message } })
}

/** What is refused here is so as a document too, and is a dead letter for that. */
export async function writePrices(store: DocumentStore, prices: CacheDocument[]): Promise<void> {
  await store.write(prices, await store.read(prices.map(({ _id }) => _id)))
}
