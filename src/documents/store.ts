import type { Collection } from 'mongodb'
import type { CacheDocument } from '../contract/document.ts'
import { INSERT, MERGE, REPLACE } from './commands.ts'
import { changesNothing, type Existing, replacementFor } from './guard.ts'
import { run, type Tally, type Write } from './run.ts'

/**
 * Where cache documents are kept. Every operation is idempotent and the merge is commutative, so a caller that got an
 * error waits and calls again, and any number of writers may work on the same ids.
 */
export interface DocumentStore {
  /**
   * What is stored of these ids, by id; ids without a document are missing.
   * @throws when the store is away.
   */
  read(ids: readonly string[]): Promise<Map<string, Existing>>
  /**
   * Merges documents, at most one per id (a chunk is folded with `merge` first), into the store.
   * @param existing what `read` gave for the same ids, so that new ids are inserted and what changes nothing is not sent.
   * It may be out of date: that costs time, never a wrong result.
   * @throws when the store is away or does not confirm; some documents may then be written already.
   */
  write(documents: readonly CacheDocument[], existing: ReadonlyMap<string, Existing>): Promise<WriteResult>
}

export interface WriteResult {
  inserted: number
  updated: number
  /** Documents that had nothing to add. */
  unchanged: number
  /** By id, why the store refuses the document for what it holds: it would be refused again. No record data in it. */
  refused: Map<string, string>
}

const READ_IDS = 5_000
/** Rounds of meeting other writers' inserts and TTL's deletes on the same ids before it counts as an outage. */
const MOST_RACES = 10

const PROJECTION = {
  createdAt: 1,
  updatedAt: 1,
  'cache.kind': 1,
  'cache.order': 1,
  'cache.erased': 1,
  'cache.lastSuccess.order': 1,
} as const

/** The store in MongoDB (5.0 or newer, a replica set). The write concern is the collection's, by default the majority. */
export function createStore(collection: Collection<CacheDocument>): DocumentStore {
  async function read(ids: readonly string[]): Promise<Map<string, Existing>> {
    const existing = new Map<string, Existing>()
    for (let start = 0; start < ids.length; start += READ_IDS) {
      for (const document of await find(collection, ids.slice(start, start + READ_IDS))) {
        existing.set(document._id, document)
      }
    }
    return existing
  }

  async function write(documents: readonly CacheDocument[], existing: ReadonlyMap<string, Existing>) {
    const tally: Tally = { inserted: 0, updated: 0, unchanged: 0, refused: new Map(), raced: [] }
    await runAll(collection, sort(documents, existing, tally), tally)
    if (tally.raced.length > 0) {
      // Most of them are settled by another look: they are there already, or were replaced after all.
      const raced = tally.raced.splice(0)
      await runAll(collection, sort(raced, await read(raced.map(({ _id }) => _id)), tally), tally)
    }
    for (let round = 0; tally.raced.length > 0; round += 1) {
      if (round === MOST_RACES) throw new Error(`MongoDB reported a duplicate _id ${MOST_RACES} times over: try again.`)
      await run(collection, MERGE, tally.raced.splice(0).map(toWrite), tally)
    }
    const { raced: _, ...result } = tally
    return result
  }

  return { read, write }
}

/**
 * One command and one reply for all the ids. Read concern majority: what is found cannot be rolled back, so that a
 * document may be left unwritten because of it.
 */
function find(collection: Collection<CacheDocument>, ids: string[]): Promise<Existing[]> {
  return collection
    .find<Existing>(
      { _id: { $in: ids } },
      { projection: PROJECTION, batchSize: ids.length + 1, readConcern: 'majority', readPreference: 'primary' },
    )
    .toArray()
}

/** What each document needs, by what is known of the stored one. */
interface Sorted {
  insert: Write[]
  replace: Write[]
  merge: Write[]
}

function sort(documents: readonly CacheDocument[], existing: ReadonlyMap<string, Existing>, tally: Tally): Sorted {
  const sorted: Sorted = { insert: [], replace: [], merge: [] }
  for (const document of documents) {
    const seen = existing.get(document._id)
    const replacement = seen && replacementFor(document, seen)
    if (seen === undefined) sorted.insert.push({ document })
    else if (replacement !== undefined) sorted.replace.push({ document: replacement, seen })
    else if (changesNothing(document, seen)) tally.unchanged += 1
    else sorted.merge.push({ document })
  }
  return sorted
}

/** Waits for all, also when one fails, so that nothing is still being written when the error is thrown. */
async function runAll(collection: Collection<CacheDocument>, sorted: Sorted, tally: Tally): Promise<void> {
  const outcomes = await Promise.allSettled([
    run(collection, INSERT, sorted.insert, tally),
    run(collection, REPLACE, sorted.replace, tally),
    run(collection, MERGE, sorted.merge, tally),
  ])
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}

function toWrite(document: CacheDocument): Write {
  return { document }
}
