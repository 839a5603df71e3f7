import { type Collection, type Document, MongoWriteConcernError } from 'mongodb'
// @ts-expect-error the driver has no types for its inner modules.
import { DocumentSequence } from 'mongodb/lib/cmap/commands.js'
import type { CacheDocument } from '../contract/document.ts'
import { Encoded, encodeEach } from './bson.ts'
import type { Form } from './commands.ts'
import type { Existing } from './guard.ts'
import { refusalOfCode, refusalOfCommand, refusalOfEncoding } from './refusal.ts'
import { MAX_DOCUMENT_BYTES, packs } from './size.ts'

/** A document to write, and for a replacement what it replaces. */
export interface Write {
  document: CacheDocument
  seen?: Existing
}

/** A write as it goes into a command: all that is kept of it while it is on the way. */
export interface Statement {
  id: string
  /** BSON. */
  encoded: Buffer
  bytes: number
}

/** What became of the documents of one write, counted as the server counted them. */
export interface Tally {
  inserted: number
  updated: number
  unchanged: number
  /** Ids to which nothing was new. */
  kept: Set<string>
  /** Why MongoDB refuses a document, by id. */
  refused: Map<string, string>
  /** Ids on which another writer was met, to be written again; never counted yet, on balance. */
  raced: string[]
}

interface WriteError {
  index: number
  code: number
  keyPattern?: Document
}

/** Most milliseconds that a write waits for a majority; then it is an outage, and the caller comes again. */
const WRITE_CONCERN_TIMEOUT_MS = 20_000
const DUPLICATE_KEY = 11_000

/** What the form of command says of each document. Those that cannot be stored are refused at once. */
export function statementsOf(form: Form, writes: readonly Write[], tally: Tally): Statement[] {
  const idOf = (index: number) => (writes[index] as Write).document._id
  const documents = encodeEach(
    writes.map(({ document }) => document),
    (index, error) => tally.refused.set(idOf(index), refusalOfEncoding(error)),
  )
  const storable = documents.map((encoded, index) => {
    if (encoded === null || encoded.length <= MAX_DOCUMENT_BYTES) return encoded
    const why = `the document takes ${encoded.length} bytes of BSON, and MongoDB stores 16 MiB at most`
    tally.refused.set(idOf(index), why)
    return null
  })
  const { statement } = form
  const encoded =
    statement === null ? storable : wrap(storable, (bytes, index) => statement(writes[index] as Write, bytes))
  const statements: Statement[] = []
  for (const [index, bytes] of encoded.entries()) {
    if (bytes !== null) statements.push({ id: idOf(index), encoded: bytes, bytes: bytes.length })
  }
  return statements
}

function wrap(documents: (Buffer | null)[], wrapper: (document: Encoded, index: number) => object): (Buffer | null)[] {
  const wrapped = documents.map((bytes, index) => (bytes === null ? {} : wrapper(new Encoded(bytes), index)))
  const encoded = encodeEach(wrapped, (_, error) => {
    throw error
  })
  return encoded.map((bytes, index) => (documents[index] === null ? null : bytes))
}

/**
 * Runs statements of distinct ids and adds to the tally. A document that cannot be stored never keeps another from being
 * stored: where it fails a whole command, the command is halved until it stands alone.
 *
 * @throws the driver's error when the fault is not in a document (network, fail-over, time-out, rights), and an error
 * that says so when the majority did not confirm in time. Some documents may then be written; all may be written again.
 */
export async function run(
  collection: Collection<CacheDocument>,
  form: Form,
  statements: readonly Statement[],
  tally: Tally,
): Promise<void> {
  for (const pack of packs(statements)) await runPack(collection, form, pack, tally)
}

async function runPack(
  collection: Collection<CacheDocument>,
  form: Form,
  pack: readonly Statement[],
  tally: Tally,
): Promise<void> {
  let reply: Document
  try {
    reply = await send(collection, form, pack)
  } catch (error) {
    const refusal = refusalOfCommand(error)
    if (refusal === undefined) throw error
    return halve(collection, form, pack, tally, refusal)
  }
  const errors: WriteError[] = reply.writeErrors ?? []
  for (const error of errors) account(error, (pack[error.index] as Statement).id, tally)
  const failed = new Set(errors.map(({ index }) => index))
  const written = failed.size === 0 ? pack : pack.filter((_, index) => !failed.has(index))
  form.count(
    reply,
    written.map(({ id }) => id),
    tally,
  )
}

async function halve(
  collection: Collection<CacheDocument>,
  form: Form,
  pack: readonly Statement[],
  tally: Tally,
  refusal: string,
): Promise<void> {
  const half = pack.length >> 1
  if (half === 0) {
    for (const { id } of pack) tally.refused.set(id, refusal)
    return
  }
  await runPack(collection, form, pack.slice(0, half), tally)
  await runPack(collection, form, pack.slice(half), tally)
}

/**
 * The command itself, since `bulkWrite` measures each document a second time, with its statements as BSON that is ready:
 * the driver has a class for that, but offers it to nobody.
 */
async function send(collection: Collection<CacheDocument>, form: Form, pack: readonly Statement[]): Promise<Document> {
  const { w = 'majority', wtimeoutMS = WRITE_CONCERN_TIMEOUT_MS } = collection.writeConcern ?? {}
  const statements = new DocumentSequence(form.field)
  for (const { id, encoded } of pack) statements.push({ _id: id }, encoded) // what a monitor of commands sees
  const command = {
    [form.name]: collection.collectionName,
    [form.field]: statements,
    ordered: false,
    writeConcern: { w, wtimeout: wtimeoutMS },
  }
  try {
    return await collection.db.command(command)
  } catch (error) {
    // The driver throws this for the reply's `writeConcernError`: written perhaps, but not safe.
    if (!(error instanceof MongoWriteConcernError)) throw error
    throw new Error(
      `MongoDB did not confirm the ${form.name} with write concern ${JSON.stringify(w)} within ${wtimeoutMS} ms ` +
        `(code ${error.code}): check that most of the replica set is up.`,
      { cause: error },
    )
  }
}

function account({ code, keyPattern }: WriteError, id: string, tally: Tally): void {
  if (code === DUPLICATE_KEY) {
    if (keyPattern !== undefined && !('_id' in keyPattern)) {
      throw new Error(`A unique index on ${JSON.stringify(keyPattern)} refuses cache documents: drop that index.`)
    }
    tally.raced.push(id)
    return
  }
  const refusal = refusalOfCode(code)
  if (refusal === undefined)
    throw new Error(`MongoDB did not write a document (code ${code}): it is to be tried again.`)
  tally.refused.set(id, refusal)
}
