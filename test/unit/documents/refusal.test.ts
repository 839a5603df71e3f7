import { describe, expect, test } from '@jest/globals'
import { MongoNetworkError, MongoServerError, MongoServerSelectionError } from 'mongodb'
import { NotPlain, TooDeep } from '../../../src/documents/bson.ts'
import { refusalOfCode, refusalOfCommand, refusalOfEncoding } from '../../../src/documents/refusal.ts'

/** From the driver's lists of retryable codes, and of those that a server gives while it is not well or not ours. */
const OUTAGES = {
  HostUnreachable: 6,
  HostNotFound: 7,
  Unauthorized: 13,
  AuthenticationFailed: 18,
  LockTimeout: 24,
  MaxTimeMSExpired: 50,
  WriteConcernFailed: 64,
  NetworkTimeout: 89,
  ShutdownInProgress: 91,
  UnsatisfiableWriteConcern: 100,
  WriteConflict: 112,
  ReadConcernMajorityNotAvailableYet: 134,
  PrimarySteppedDown: 189,
  ExceededTimeLimit: 262,
  SocketException: 9001,
  NotMaster: 10058,
  NotWritablePrimary: 10107,
  DuplicateKey: 11000,
  InterruptedAtShutdown: 11600,
  Interrupted: 11601,
  InterruptedDueToReplStateChange: 11602,
  StaleConfig: 13388,
  NotPrimaryNoSecondaryOk: 13435,
  NotPrimaryOrSecondary: 13436,
  OutOfDiskSpace: 14031,
}

describe('what MongoDB answers', () => {
  test.each(Object.entries(OUTAGES))('%s is no fault of a document', (_name, code) => {
    expect(refusalOfCode(code)).toBeUndefined()
    expect(refusalOfCommand(new MongoServerError({ code, message: 'x' }))).toBeUndefined()
  })

  test.each([2, 15, 22, 52, 121, 10334, 16493, 17419, 17420])(
    'code %i of a document refuses it, with a reason',
    (code) => {
      expect(refusalOfCode(code)).toMatch(/document|key/)
    },
  )

  test('a whole command counts against its documents only where nothing else can fail it so', () => {
    const text = "BSONObj exceeds maximum nested object depth in element with field name 'documents.0.secret'"
    expect(refusalOfCommand(new MongoServerError({ code: 15, message: text }))).toMatch(
      /^the document is nested deeper/,
    )
    // FailedToParse: a server that does not know the command's fields would refuse every document.
    expect(refusalOfCommand(new MongoServerError({ code: 9, message: 'x' }))).toBeUndefined()
  })

  test('what cannot be written as BSON is refused, without the key', () => {
    expect(refusalOfEncoding(new NotPlain('a key holds a NUL'))).toMatch(/NUL/)
    expect(refusalOfEncoding(new TooDeep('x'))).toMatch(/nested deeper/)
  })

  test('anything else is an outage', () => {
    const selection = new MongoServerSelectionError('no primary', {} as never)
    for (const error of [new MongoNetworkError('reset'), selection, new Error('?'), undefined]) {
      expect(refusalOfCommand(error)).toBeUndefined()
    }
  })
})
