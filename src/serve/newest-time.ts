import type { Db } from 'mongodb'
import type { ClusterTime } from './cluster-time.ts'

/**
 * Asks the primary how far it has come. What was stored there by now is in all that is read from now on, wherever that is read.
 * @throws when there is no primary.
 */
export async function learnNewestTime(db: Db, time: ClusterTime): Promise<void> {
  const session = db.client.startSession()
  try {
    await db.command({ ping: 1 }, { session })
    time.advance(session.operationTime)
  } finally {
    await session.endSession()
  }
}
