import { BSON, type Collection, type Document } from 'mongodb'
import type { CacheDocument } from '../contract/document.ts'
import { mergePipeline } from './pipeline.ts'
import { refusalOfCode, refusalOfError } from './refusal.ts'
import { MAX_DOCUMENT_BYTES, packs, type Sized, sizeOf } from './size.ts'

/** What became of the documents of one write, counted as the server counted them. */
export interface Tally {
  inserted: number
  updated: number
  unchanged: number
  /** Why MongoDB refuses a document, by id. */
  refused: Map<string, string>
  /** Documents that met another writer's insert of the same id. */
  raced: CacheDocument[]
}

/** A database command over many documents, and how its reply counts. */
interface Form {
  statement(documents: CacheDocument[]): Document
  count(reply: Document, tally: Tally): void
  /** Bytes that the command adds to each document. */
  overhead: number
}

interface WriteError {
  index: number
  code: number
  keyPattern?: Document
}

/** Most milliseconds that a write waits for a majority; then it is an outage, and the caller comes again. */
const WRITE_CONCERN_TIMEOUT_MS = 20_000

/** Plain inserts. The command itself, since `bulkWrite` measures each document a second time. */
export const INSERT: Form = {
  statement: (documents) => ({ documents }),
  count: (reply, tally) => {
    tally.inserted += reply.n
  },
  overhead: 8,
}

/** Server-side merges by `documents/pipeline.ts`; `c` carries the document as a constant, out of reach of expressions. */
export const UPDATE: Form = {
  statement: (documents) => ({
    updates: documents.map((document) => ({
      q: { _id: document._id },
      u: mergePipeline,
      c: { new: document },
      upsert: true,
    })),
  }),
  count: (reply, tally) => {
    const upserted = reply.upserted?.length ?? 0
    tally.inserted += upserted
    tally.updated += reply.nModified
    tally.unchanged += reply.n - upserted - reply.nModified
  },
  // The id is there twice; it takes a kibibyte at most, in three bytes a character.
  overhead: BSON.calculateObjectSize({ u: mergePipeline }) + 3 * 1024 + 100,
}

/**
 * Runs one form of command over documents of distinct ids and adds to the tally. A document that cannot be stored never
 * keeps another from being stored: where it fails a whole command, the command is halved until it stands alone.
 *
 * @throws the driver's error when the fault is not in a document (network, fail-over, time-out, rights), and an error
 * that says so when the majority did not confirm in time. Some documents may then be written; all may be written again.
 */
export async function run(
  collection: Collection<CacheDocument>,
  form: Form,
  documents: CacheDocument[],
  tally: Tally,
): Promise<void> {
  for (const pack of packs(storable(documents, tally), form.overhead)) await runPack(collection, form, pack, tally)
}

function storable(documents: CacheDocument[], tally: Tally): Sized[] {
  const sized: Sized[] = []
  for (const document of documents) {
    const bytes = sizeOf(document)
    if (bytes <= MAX_DOCUMENT_BYTES) sized.push({ document, bytes })
    else tally.refused.set(document._id, `the document takes ${bytes} bytes as BSON, and MongoDB stores at most 16 MiB`)
  }
  return sized
}

async function runPack(
  collection: Collection<CacheDocument>,
  form: Form,
  pack: CacheDocument[],
  tally: Tally,
): Promise<void> {
  let reply: Document
  try {
    reply = await send(collection, form, pack)
  } catch (error) {
    const refusal = refusalOfError(error)
    if (refusal === undefined) throw error
    const half = pack.length >> 1
    if (half === 0) {
      for (const { _id } of pack) tally.refused.set(_id, refusal)
      return
    }
    await runPack(collection, form, pack.slice(0, half), tally)
    return runPack(collection, form, pack.slice(half), tally)
  }
  for (const error of (reply.writeErrors ?? []) as WriteError[])
    account(error, pack[error.index] as CacheDocument, tally)
  form.count(reply, tally)
}

async function send(collection: Collection<CacheDocument>, form: Form, pack: CacheDocument[]): Promise<Document> {
  const { w = 'majority', wtimeoutMS = WRITE_CONCERN_TIMEOUT_MS } = collection.writeConcern ?? {}
  const name = form === INSERT ? 'insert' : 'update'
  const reply = await collection.db.command(
    {
      [name]: collection.collectionName,
      ...form.statement(pack),
      ordered: false,
      writeConcern: { w, wtimeout: wtimeoutMS },
    },
    { ignoreUndefined: true },
  )
  const failed = reply.writeConcernError
  if (failed !== undefined) {
    throw new Error(
      `MongoDB did not confirm the ${name} with write concern ${JSON.stringify(w)} within ${wtimeoutMS} ms ` +
        `(code ${failed.code}, ${failed.codeName ?? 'no name'}): check that a majority of the replica set is up.`,
    )
  }
  return reply
}

function account({ code, keyPattern }: WriteError, document: CacheDocument, tally: Tally): void {
  if (code === 11_000 && (keyPattern === undefined || '_id' in keyPattern)) {
    tally.raced.push(document)
    return
  }
  if (code === 11_000) {
    throw new Error(
      `A unique index on ${JSON.stringify(keyPattern)} refuses documents of this collection: drop that index.`,
    )
  }
  const refusal = refusalOfCode(code)
  if (refusal === undefined) throw new Error(`MongoDB did not write a document now (code ${code}): it is tried again.`)
  tally.refused.set(document._id, refusal)
}
