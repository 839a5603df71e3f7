import type { Document } from 'mongodb'
import { Encoded, encodeEach } from './bson.ts'
import { mergePipeline, replacePipeline, seenConstant } from './pipeline.ts'
import type { Tally, Write } from './run.ts'

/** A database command over many documents of distinct ids, and how its reply counts. */
export interface Form {
  name: 'insert' | 'update'
  /** The field of the command that holds its statements. */
  field: 'documents' | 'updates'
  /** What the command says of one document; null: the document itself. */
  statement: ((write: Write, document: Encoded) => object) | null
  /** @param written the ids of the command that met no error of their own. */
  count(reply: Document, written: readonly string[], tally: Tally): void
}

export const INSERT: Form = {
  name: 'insert',
  field: 'documents',
  statement: null,
  count: ({ n }, _written, tally) => {
    tally.inserted += n
  },
}

/** Server-side merges. `c` carries the document as a constant, out of reach of expressions. */
export const MERGE: Form = {
  name: 'update',
  field: 'updates',
  statement: ({ document: { _id } }, document) => ({ q: { _id }, u: merging, c: { new: document }, upsert: true }),
  count: ({ n, nModified, upserted = [] }, _written, tally) => {
    tally.inserted += upserted.length
    tally.updated += nModified
    tally.unchanged += n - upserted.length - nModified
  },
}

/**
 * Replaces documents that still are as they were read. The reply does not tell which are not, so if any is not, all are
 * written again.
 */
export const REPLACE: Form = {
  name: 'update',
  field: 'updates',
  statement: ({ document: { _id }, seen }, document) => ({
    q: { _id },
    u: replacing,
    c: { new: document, seen: seen && seenConstant(seen) },
  }),
  count: ({ nModified }, written, tally) => {
    tally.updated += nModified
    if (nModified !== written.length) writeAllAgain(nModified, written, tally)
  },
}

/**
 * Moves the times of documents whose content stays as it is stored: a third of the work of a merge. The reply does not tell
 * which of them MongoDB has dropped meanwhile (TTL), so if any is, all are written again.
 */
export const TIMES: Form = {
  name: 'update',
  field: 'updates',
  statement: ({ document: { _id, createdAt, updatedAt } }) => ({
    q: { _id },
    u: { $min: { createdAt }, $max: { updatedAt } },
  }),
  count: ({ n, nModified }, written, tally) => {
    tally.updated += nModified
    if (n === written.length) tally.unchanged += n - nModified
    else writeAllAgain(nModified, written, tally)
  },
}

/** Those that were written come out as unchanged then, and are taken off that count here. */
function writeAllAgain(nModified: number, written: readonly string[], tally: Tally): void {
  tally.unchanged -= nModified
  for (const id of written) tally.raced.push(id)
}

const merging = encodedArray(mergePipeline)
const replacing = encodedArray(replacePipeline)

function encodedArray(array: readonly object[]): Encoded {
  const [bytes] = encodeEach([array], (_, error) => {
    throw error
  })
  return new Encoded(bytes as Buffer, true)
}
