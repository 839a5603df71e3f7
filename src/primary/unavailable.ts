/**
 * Why the primary gave no answer. `away`: it is not there, or cannot be read, and the message says why; `timeout`: it
 * took too long; `busy`: too many ask already; `open`: it failed so often lately that it is not asked at all.
 */
export type Reason = 'away' | 'timeout' | 'busy' | 'open'

export class PrimaryUnavailable extends Error {
  override readonly name = 'PrimaryUnavailable'
  readonly reason: Reason
  constructor(reason: Reason, message: string) {
    super(message)
    this.reason = reason
  }
}

/** What the driver's errors have, as far as it can hold no secret: its messages quote host, user and query. */
export interface DriverError extends Error {
  /** `ECONNREFUSED`, `ER_NO_SUCH_TABLE`, … */
  code?: string
  /** The server's number of the error, or the system's (negative). */
  errno?: number
  /** Only errors that the server sent have one. */
  sqlState?: string
  /** The connection cannot be used any more. */
  fatal?: boolean
}

const TOO_SLOW: ReadonlySet<string> = new Set([
  'ETIMEDOUT', //             no connection in time
  'ER_STATEMENT_TIMEOUT', //  MariaDB's max_statement_time
  'ER_QUERY_TIMEOUT', //      MySQL's max_execution_time
  'ER_QUERY_INTERRUPTED',
  'ER_LOCK_WAIT_TIMEOUT',
])

/** What a person can do about it, where the code tells. */
const REMEDIES: ReadonlyMap<string, string> = new Map([
  ['ER_ACCESS_DENIED_ERROR', 'refuses the user or the password of PRIMARY_MYSQL_URI'],
  ['ER_DBACCESS_DENIED_ERROR', 'does not let this user into the database that PRIMARY_MYSQL_URI names: GRANT SELECT'],
  ['ER_TABLEACCESS_DENIED_ERROR', 'does not let this user read the table: GRANT SELECT'],
  ['ER_COLUMNACCESS_DENIED_ERROR', 'does not let this user read all columns that it shows: GRANT SELECT on the table'],
  ['ER_BAD_DB_ERROR', 'has no database of the name in PRIMARY_MYSQL_URI'],
  ['ER_CON_COUNT_ERROR', 'has no connection left: raise max_connections, or run fewer of us'],
  ['ER_USER_LIMIT_REACHED', 'gives this user no further connection: raise MAX_USER_CONNECTIONS'],
  ['ER_HOST_NOT_PRIVILEGED', 'does not let this host in: make the user for it'],
  ['ENOTFOUND', 'is not found by the host name in PRIMARY_MYSQL_URI'],
  ['ECONNREFUSED', 'does not listen at the host and port in PRIMARY_MYSQL_URI'],
  ['HANDSHAKE_NO_SSL_SUPPORT', 'does not offer TLS, which ssl in PRIMARY_MYSQL_URI asks for'],
  [
    'HANDSHAKE_SSL_ERROR',
    'has a certificate for another name, or one that cannot be trusted: give its authority in NODE_EXTRA_CA_CERTS',
  ],
])

/** A driver's error in our own words. */
export function unavailable(error: unknown): PrimaryUnavailable {
  if (error instanceof PrimaryUnavailable) return error
  const { code, errno, name } = error as DriverError
  const known = code ?? (errno === undefined ? name : String(errno))
  if (TOO_SLOW.has(known) || SLOW_NUMBERS.has(errno)) {
    return new PrimaryUnavailable('timeout', `The primary MySQL did not answer in time (${known})`)
  }
  const remedy = REMEDIES.get(known) ?? 'does not answer: see that it runs and can be reached'
  return new PrimaryUnavailable('away', `The primary MySQL ${remedy} (${known})`)
}

/** The driver knows MySQL's numbers only; this is MariaDB's for max_statement_time. */
const SLOW_NUMBERS: ReadonlySet<number | undefined> = new Set([1969])
