/** Reads the primary MySQL store, for what the cache does not have. It never writes there. */
import type { Logger } from 'pino'
import { askForColumns, askForSession, type Columns, columnsOf, type PrimaryRow, rowsOf } from './columns.ts'
import { type Ask, openConnections, type Row } from './connect.ts'
import { createGuard, type GuardState } from './guard.ts'
import { type DriverError, PrimaryUnavailable } from './unavailable.ts'

export type { PrimaryRow } from './columns.ts'
export { PrimaryUnavailable } from './unavailable.ts'

export interface Primary extends AsyncDisposable {
  /**
   * The rows of a session, the newest 200 of them, oldest first by `updatedAt`; none: the primary does not know it. Each
   * caller asks; who asks for the same shares look-ups itself.
   * @throws PrimaryUnavailable when it is away, too slow, too busy, or the breaker is open.
   */
  rows(sessionId: string): Promise<PrimaryRow[]>
  /** Of the breaker. `open` lasts until somebody asks again after its time. */
  readonly state: GuardState
}

interface Options {
  log: Logger
  /** Told of each change of `state`. */
  onState?: (state: GuardState) => void
}

/** Dials nothing before the first question. @throws Error that says what is wrong with PRIMARY_MYSQL_URI. */
export function openPrimary(uri: string, { log, onState }: Options): Primary {
  const connections = openConnections(uri)
  const guard = createGuard((state, lastFailure) => {
    tell(log, state, lastFailure)
    onState?.(state)
  })
  const look = createLook()
  let isClosed = false
  return {
    get state() {
      return guard.state
    },
    async rows(sessionId) {
      if (isClosed) throw new PrimaryUnavailable('away', 'The primary MySQL is closed: this process is ending')
      const { columns, rows } = await guard.run((signal) => connections.lend(signal, (ask) => look(ask, sessionId)))
      return rowsOf(columns, rows, sessionId, Date.now())
    },
    async [Symbol.asyncDispose]() {
      isClosed = true
      await connections[Symbol.asyncDispose]()
    },
  }
}

function tell(log: Logger, state: GuardState, lastFailure: string): void {
  const dependency = 'primary'
  if (state === 'open') log.warn({ dependency, reason: lastFailure }, 'the primary MySQL is not asked for a while')
  if (state === 'closed') log.info({ dependency }, 'the primary MySQL is back')
}

const UNKNOWN_COLUMN = 1054

/** Knows the columns from its first question on, and looks at them again when one of them is gone. */
function createLook() {
  let columns: Columns | null = null
  const find = async (ask: Ask): Promise<Columns> => {
    columns = columnsOf(await ask(askForColumns.sql, askForColumns.values))
    return columns
  }
  const read = async (ask: Ask, known: Columns, sessionId: string): Promise<{ columns: Columns; rows: Row[] }> => {
    const question = askForSession(known, sessionId)
    return { columns: known, rows: question === null ? [] : await ask(question.sql, question.values) }
  }
  return async (ask: Ask, sessionId: string) => {
    const known = columns
    try {
      return await read(ask, known ?? (await find(ask)), sessionId)
    } catch (error) {
      if (known === null || (error as DriverError).errno !== UNKNOWN_COLUMN) throw error
      return read(ask, await find(ask), sessionId)
    }
  }
}
