import { MongoServerError } from 'mongodb'
import { TooDeep } from './bson.ts'

/**
 * Tells a document that MongoDB refuses for its content from a MongoDB that is not there. The first becomes a dead letter,
 * the second is waited out; so a code counts as a refusal only when it cannot come from an outage. The server's own texts
 * quote field names and values of the document, so they are replaced by ours.
 */
const TOO_LARGE = 'the document is larger than the 16 MiB that MongoDB stores, itself or with the last success it keeps'
const TOO_DEEP = 'the document is nested deeper than the 180 levels that MongoDB stores'

const MESSAGES = new Map<number, string>([
  [2, 'MongoDB refuses a value of the document, or its size over 16 MiB (code 2, BadValue)'],
  [9, 'MongoDB cannot parse the document (code 9, FailedToParse)'],
  [14, 'MongoDB refuses the type of a value of the document (code 14, TypeMismatch)'],
  [15, TOO_DEEP],
  [17, 'MongoDB refuses the document as too large or malformed (code 17, ProtocolError)'],
  [22, 'the document is not valid BSON (code 22, InvalidBSON)'],
  [52, 'MongoDB refuses a key that begins with $ (code 52, DollarPrefixedFieldName)'],
  [53, 'MongoDB refuses the _id of the document (code 53, InvalidIdField)'],
  [55, 'MongoDB refuses a $ref, $id or $db in the document (code 55, InvalidDBRef)'],
  [56, 'MongoDB refuses an empty key in the document (code 56, EmptyFieldName)'],
  [57, 'MongoDB refuses a key with a dot in the document (code 57, DottedFieldName)'],
  [66, 'MongoDB refuses to change a field of the document (code 66, ImmutableField)'],
  [121, 'the collection has a validator and the document fails it (code 121): mend the record or relax the validator'],
  [171, 'an index on the collection cannot hold the document (code 171, CannotIndexParallelArrays)'],
  [10334, TOO_LARGE],
  [17280, 'an index on the collection cannot hold so long a key (code 17280, KeyTooLong)'],
  [17419, TOO_LARGE],
  [17420, TOO_LARGE],
])

/** Codes over 10,000 name one check each, nearly always of a document; these are the ones that tell of a server's state. */
const STATE_CODES = new Set([10058, 10107, 11600, 11601, 11602, 13388, 13435, 13436, 14031, 16550, 17145])

/** Why the server refuses a document, or undefined when the code may tell of anything else. */
export function refusalOfCode(code: unknown): string | undefined {
  if (typeof code !== 'number') return undefined
  const message = MESSAGES.get(code)
  if (message !== undefined) return message
  return code > 10_000 && code < 100_000 && code !== 11_000 && !STATE_CODES.has(code)
    ? `MongoDB refuses the document with code ${code}: look the code up, mend the record and replay it`
    : undefined
}

/** Of the codes that fail a whole command, those that only a document in it can cause. */
const COMMAND_CODES = new Set<unknown>([15, 22, 10334])

/** The same for an error with which the server failed a whole command. */
export function refusalOfCommand(error: unknown): string | undefined {
  return error instanceof MongoServerError && COMMAND_CODES.has(error.code) ? refusalOfCode(error.code) : undefined
}

/** Why a document could not be written as BSON. */
export function refusalOfEncoding(error: Error): string {
  return error instanceof TooDeep
    ? TOO_DEEP
    : 'the document cannot be written as BSON: a key holds a NUL, or a number is beyond its types'
}
