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

/** What became of the documents of one write, counted as the server counted them. */
export interface Tally {
  inserted: number
  updated: number
  unchanged: number
  /** Why MongoDB refuses a document, by id. */
  refused: Map<string, string>
  /** Documents that met another writer on the same id, to be written again; never counted yet, on balance. */
  raced: CacheDocument[]
}

interface WriteError {
  index: number
  code: number
  keyPattern?: Document
}

/** Most milliseconds that a write waits for a majority; then it is an outage, and the caller comes again. */
const WRITE_CONCERN_TIMEOUT_MS = 20_000
const DUPLICATE_KEY = 11_000

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
  writes: readonly Write[],
  tally: Tally,
): Promise<void> {
  if (writes.length === 0) return
  for (const pack of packs(statementsOf(form, writes, tally))) await runPack(collection, form, pack, tally)
}

/** A write as it goes into a command. */
interface Statement {
  write: Write
  /** BSON. */
  encoded: Buffer
  bytes: number
}

function statementsOf(form: Form, writes: readonly Write[], tally: Tally): Statement[] {
  const refuse = (index: number, why: string) => tally.refused.set((writes[index] as Write).document._id, why)
  const documents = encodeEach(
    writes.map(({ document }) => document),
    (index, error) => refuse(index, refusalOfEncoding(error)),
  )
  const statements: Statement[] = []
  for (const [index, encoded] of documents.entries()) {
    if (encoded === null) continue
    const { length: bytes } = encoded
    if (bytes <= MAX_DOCUMENT_BYTES) statements.push({ write: writes[index] as Write, encoded, bytes })
    else refuse(index, `the document takes ${bytes} bytes of BSON, and MongoDB stores 16 MiB at most`)
  }
  return form.statement === null ? statements : wrap(statements, form.statement)
}

function wrap(statements: Statement[], statementOf: NonNullable<Form['statement']>): Statement[] {
  const wrapped = encodeEach(
    statements.map(({ write, encoded }) => statementOf(write, new Encoded(encoded))),
    (_, error) => {
      throw error
    },
  ) as Buffer[]
  return statements.map(({ write }, index) => {
    const encoded = wrapped[index] as Buffer
    return { write, encoded, bytes: encoded.length }
  })
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
  for (const error of errors) account(error, (pack[error.index] as Statement).write, tally)
  const failed = new Set(errors.map(({ index }) => index))
  const written = failed.size === 0 ? pack : pack.filter((_, index) => !failed.has(index))
  form.count(
    reply,
    written.map(({ write }) => write),
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
    for (const { write } of pack) tally.refused.set(write.document._id, refusal)
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
  for (const { write, encoded } of pack) statements.push(write.document, encoded)
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

function account({ code, keyPattern }: WriteError, write: Write, tally: Tally): void {
  if (code === DUPLICATE_KEY) {
    if (keyPattern !== undefined && !('_id' in keyPattern)) {
      throw new Error(`A unique index on ${JSON.stringify(keyPattern)} refuses cache documents: drop that index.`)
    }
    tally.raced.push(write.document)
    return
  }
  const refusal = refusalOfCode(code)
  if (refusal === undefined)
    throw new Error(`MongoDB did not write a document (code ${code}): it is to be tried again.`)
  tally.refused.set(write.document._id, refusal)
}
