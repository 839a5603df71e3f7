import type { Collection } from 'mongodb'
import type { CacheDocument } from '../contract/document.ts'
import { type Form, INSERT, MERGE, REPLACE, TIMES } from './commands.ts'
import { changesNothing, type Existing, movesTimesOnly, replacementFor } from './guard.ts'
import { run, type Statement, statementsOf, type Tally, type Write } from './run.ts'

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
   * Merges documents, at most one per id (a chunk is folded with `merge` first), into the store. A function gives them each
   * time they are needed: once, and again for those that meet another writer; so they need not be kept meanwhile.
   * @param existing what `read` gave for the same ids, so that new ids are inserted and what changes nothing is not sent.
   * It may be out of date: that costs time, never a wrong result.
   * @throws when the store is away or does not confirm; some documents may then be written already.
   */
  write(documents: Documents, existing: ReadonlyMap<string, Existing>): Promise<WriteResult>
}

export type Documents = readonly CacheDocument[] | (() => readonly CacheDocument[])

export interface WriteResult {
  inserted: number
  updated: number
  /** Documents that had nothing to add. */
  unchanged: number
  /**
   * Ids of those found to be older than what is stored, or equal to it; their times may have moved. Where another writer was met,
   * a document may have become equal by this very write.
   */
  kept: Set<string>
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

  async function write(documents: Documents, existing: ReadonlyMap<string, Existing>) {
    const tally: Tally = { inserted: 0, updated: 0, unchanged: 0, kept: new Set(), refused: new Map(), raced: [] }
    await runAll(collection, prepare(documents, existing, tally), tally)
    if (tally.raced.length > 0) {
      // Most of them are settled by another look: they are there already, or were replaced after all.
      const ids = tally.raced.splice(0)
      for (const id of ids) tally.kept.delete(id)
      const stored = await read(ids)
      await runAll(collection, prepare(only(ids, documents), stored, tally), tally)
    }
    for (let round = 0; tally.raced.length > 0; round += 1) {
      if (round === MOST_RACES) throw new Error(`MongoDB reported a duplicate _id ${MOST_RACES} times over: try again.`)
      const raced = only(tally.raced.splice(0), documents)()
      await run(collection, MERGE, statementsOf(MERGE, raced.map(toWrite), tally), tally)
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

const all = (documents: Documents) => (typeof documents === 'function' ? documents() : documents)

function only(ids: readonly string[], documents: Documents): () => readonly CacheDocument[] {
  const wanted = new Set(ids)
  return () => all(documents).filter(({ _id }) => wanted.has(_id))
}

type Prepared = [Form, Statement[]][]

/** What each document needs, by what is known of the stored one. Nothing of the documents is kept. */
function prepare(documents: Documents, existing: ReadonlyMap<string, Existing>, tally: Tally): Prepared {
  const insert: Write[] = []
  const replace: Write[] = []
  const times: Write[] = []
  const merge: Write[] = []
  for (const document of all(documents)) {
    const seen = existing.get(document._id)
    const replacement = seen && replacementFor(document, seen)
    if (seen === undefined) insert.push({ document })
    else if (replacement !== undefined) replace.push({ document: replacement, seen })
    else if (changesNothing(document, seen)) {
      tally.unchanged += 1
      tally.kept.add(document._id)
    } else if (movesTimesOnly(document, seen)) {
      times.push({ document })
      tally.kept.add(document._id)
    } else merge.push({ document })
  }
  return [
    [INSERT, statementsOf(INSERT, insert, tally)],
    [REPLACE, statementsOf(REPLACE, replace, tally)],
    [TIMES, statementsOf(TIMES, times, tally)],
    [MERGE, statementsOf(MERGE, merge, tally)],
  ]
}

/** Waits for all, also when one fails, so that nothing is still being written when the error is thrown. */
async function runAll(collection: Collection<CacheDocument>, prepared: Prepared, tally: Tally): Promise<void> {
  const outcomes = await Promise.allSettled(
    prepared.map(([form, statements]) => run(collection, form, statements, tally)),
  )
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}

function toWrite(document: CacheDocument): Write {
  return { document }
}
