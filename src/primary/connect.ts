import { setTimeout as delay } from 'node:timers/promises'
import { createPool, type Pool, type PoolConnection, type RowDataPacket } from 'mysql2/promise'
import { addressOf } from './address.ts'
import { LIMITS } from './guard.ts'
import { type DriverError, PrimaryUnavailable, unavailable } from './unavailable.ts'

/** A prepared statement with its values; gives the rows. Throws the driver's errors. */
export type Ask = (sql: string, values: readonly string[]) => Promise<Row[]>
/** By the names in the statement. Times, decimals, and integers beyond 2^53 are text. */
export type Row = Readonly<Record<string, unknown>>

export interface Connections extends AsyncDisposable {
  /**
   * Lends a connection to `use`. When `signal` aborts, it is cut off and nothing waits for it.
   * @throws PrimaryUnavailable, `away` or `timeout`.
   */
  lend<T>(signal: AbortSignal, use: (ask: Ask) => Promise<T>): Promise<T>
}

/** How long an idle connection is silent until it is tried: firewalls forget it after minutes. */
const KEEP_ALIVE_MS = 30_000
/** The server gives up a little before we do, so that its answer comes while somebody listens, and the connection lives on. */
const SERVER_MS = LIMITS.timeoutMs * 0.9
/** What is under way when we end may be answered for so long. */
const CLOSE_MS = 1_000

/** Dials nothing yet. @throws Error that says what is wrong with the URI. */
export function openConnections(uri: string): Connections {
  const pool = createPool({
    ...addressOf(uri),
    connectionLimit: LIMITS.running,
    connectTimeout: LIMITS.timeoutMs,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
    // No value may take its way through a double, or a date of this machine.
    supportBigNumbers: true,
    dateStrings: true,
    jsonStrings: true,
    timezone: 'Z',
    // The server may ask a client for its files. Not us.
    flags: ['-LOCAL_FILES'],
  })
  const open = new Set<Socket>()
  pool.pool.on('connection', (connection) => {
    const socket = socketOf(connection)
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    // The pool listens once; an error that nobody listens to would end the process.
    connection.on('error', () => undefined)
  })
  return {
    lend: lender(pool),
    async [Symbol.asyncDispose]() {
      // Where the server hangs, the pool waits for it for ever.
      await Promise.race([pool.end().catch(() => undefined), delay(CLOSE_MS, undefined, { ref: false })])
      for (const socket of open) socket.destroy()
    },
  }
}

function lender(pool: Pool): Connections['lend'] {
  /** Those whose session is set up. */
  const prepared = new WeakSet<object>()
  return async (signal, use) => {
    for (;;) {
      const connection = await borrow(pool, signal)
      const isNew = !prepared.has(connection.connection)
      const ask: Ask = async (sql, values) => {
        const [rows] = await orAborted(connection.execute<RowDataPacket[]>(sql, [...values]), signal)
        return rows
      }
      try {
        if (isNew) await prepare((sql) => orAborted(connection.query(sql), signal))
        prepared.add(connection.connection)
        const result = await use(ask)
        connection.release()
        return result
      } catch (error) {
        // Once the signal has aborted, what was asked may be under way still.
        const isGood = !signal.aborted && isFine(error)
        if (isGood) connection.release()
        else cut(connection)
        // One that lay idle may have died there, and others with it: on, until one is new.
        if (isNew || isGood || signal.aborted) throw unavailable(error)
      }
    }
  }
}

async function borrow(pool: Pool, signal: AbortSignal): Promise<PoolConnection> {
  const borrowing = pool.getConnection()
  return orAborted(borrowing, signal).catch((error) => {
    if (signal.aborted) borrowing.then((late) => late.release()).catch(() => undefined)
    throw unavailable(error)
  })
}

/** Whether the connection can go on after this error. */
function isFine(error: unknown): boolean {
  if (error instanceof PrimaryUnavailable) return true
  const { sqlState, fatal, errno } = error as DriverError
  return sqlState !== undefined && fatal !== true && !ENDED.has(errno)
}

/** What a server says before it hangs up: shutdown; killed, by MariaDB and by MySQL; idle too long. */
const ENDED: ReadonlySet<number | undefined> = new Set([1053, 1927, 3169, 4031])

/** The driver only says goodbye, to which a server that hangs does not listen: the socket would stay. */
function cut(connection: PoolConnection): void {
  connection.destroy()
  socketOf(connection.connection).destroy()
}

type Socket = NodeJS.EventEmitter & { destroy(): void }
/** There is no public way to it. */
const socketOf = (connection: object) => (connection as { stream: Socket }).stream

const UNKNOWN_VARIABLE = 1193

/**
 * Of a new session: it only reads, text is UTF-8 both ways, TIMESTAMP columns come in UTC, and a
 * query has its time; how that is said depends on whose server it is.
 */
async function prepare(tell: (sql: string) => Promise<unknown>): Promise<void> {
  const unlessUnknown = (otherwise: () => Promise<unknown>) => (error: DriverError) => {
    if (error.errno !== UNKNOWN_VARIABLE) throw error
    return otherwise()
  }
  await tell('SET SESSION TRANSACTION READ ONLY')
  await tell('SET NAMES utf8mb4')
  await tell("SET SESSION time_zone = '+00:00'")
  await tell(`SET SESSION max_statement_time = ${SERVER_MS / 1_000}`)
    .catch(unlessUnknown(() => tell(`SET SESSION max_execution_time = ${SERVER_MS}`)))
    .catch(unlessUnknown(async () => undefined))
}

/** The outcome of `work`, or a rejection once `signal` aborts: the driver never answers on a connection that is cut. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new PrimaryUnavailable('timeout', 'The primary MySQL did not answer in time'))
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}
