import { BSON, type Document } from 'mongodb'
import { mergePipeline, replacePipeline, seenConstant } from './pipeline.ts'
import type { Tally, Write } from './run.ts'

/** A database command over many documents of distinct ids, and how its reply counts. */
export interface Form {
  name: 'insert' | 'update'
  statements(writes: readonly Write[]): Document
  /** @param written the writes of the command that met no error of their own. */
  count(reply: Document, written: readonly Write[], tally: Tally): void
  /** Bytes that the command adds to each document, at most. */
  overhead: number
}

/** Plain inserts. The command itself, since `bulkWrite` measures each document a second time. */
export const INSERT: Form = {
  name: 'insert',
  statements: (writes) => ({ documents: writes.map(({ document }) => document) }),
  count: ({ n }, _written, tally) => {
    tally.inserted += n
  },
  overhead: 8,
}

/** An id takes a kibibyte at most, in three bytes a character. */
const ID_BYTES = 3 * 1024

/** Server-side merges. `c` carries the document as a constant, out of reach of expressions. */
export const MERGE: Form = {
  name: 'update',
  statements: (writes) => ({
    updates: writes.map(({ document }) => ({
      q: { _id: document._id },
      u: mergePipeline,
      c: { new: document },
      upsert: true,
    })),
  }),
  count: ({ n, nModified, upserted = [] }, _written, tally) => {
    tally.inserted += upserted.length
    tally.updated += nModified
    tally.unchanged += n - upserted.length - nModified
  },
  overhead: BSON.calculateObjectSize({ u: mergePipeline }) + ID_BYTES + 100,
}

/**
 * Replaces documents that still are as they were read. The reply does not tell which are not, so if any is not, all are
 * written again, where those already replaced come out as unchanged; they are taken off that count here.
 */
export const REPLACE: Form = {
  name: 'update',
  statements: (writes) => ({
    updates: writes.map(({ document, seen }) => ({
      q: { _id: document._id },
      u: replacePipeline,
      c: { new: document, seen: seen && seenConstant(seen) },
    })),
  }),
  count: ({ nModified }, written, tally) => {
    tally.updated += nModified
    if (nModified === written.length) return
    tally.unchanged -= nModified
    for (const { document } of written) tally.raced.push(document)
  },
  overhead: BSON.calculateObjectSize({ u: replacePipeline }) + ID_BYTES + 4 * 1024,
}
