/**
 * The one place that knows the columns of the primary's table: which there may be, which there are in this deployment, how
 * a session is looked for in them, and what event record a row would have been.
 *
 * A known column that a deployment does not have is absent from its records; others are not read. Names are compared without
 * regard to case, as MySQL does; records have them as they stand here.
 */
import { isUtf8 } from 'node:buffer'
import type { Json, JsonObject } from '../contract/record.ts'
import { PrimaryUnavailable } from './unavailable.ts'

export const TABLE = 'pm_parking_event'

/** Of `session_data`, in this order. */
const OF_SESSION = [
  'session_id',
  'license_plate_number',
  'lpn_country',
  'lpn_state',
  'area',
  'zone',
  'parking_start_time_UTC',
  'parking_stop_time_UTC',
  'amount',
  'payment_method',
  'alert_before',
  'alert_at',
] as const
const OF_RECORD = ['event_type', 'zone_id', 'status', 'user_id'] as const
const OF_ROW = ['created_at', 'updated_at'] as const

const KNOWN = [...OF_SESSION, ...OF_RECORD, ...OF_ROW]
type Known = (typeof KNOWN)[number]

/** As `information_schema` has it: `varchar`, `bigint`, …; of text that is no binary, its character set and collation. */
interface Column {
  type: string
  charset: string | null
  collation: string | null
}

/** The known columns that there are. */
export type Columns = ReadonlyMap<Known, Column>

/** A row as the event record it would have been, and the row's own times (epoch ms). */
export interface PrimaryRow {
  record: JsonObject
  createdAt: number
  updatedAt: number
}

export interface Question {
  sql: string
  values: string[]
}

type Row = Readonly<Record<string, unknown>>

export const askForColumns: Question = {
  sql:
    'SELECT COLUMN_NAME AS name, DATA_TYPE AS type, CHARACTER_SET_NAME AS charset, COLLATION_NAME AS collation ' +
    'FROM information_schema.columns ' +
    'WHERE table_schema = DATABASE() AND table_name = ?',
  values: [TABLE],
}

/** @throws PrimaryUnavailable when the table is not there, or has nothing to find a session by. */
export function columnsOf(rows: readonly Row[]): Columns {
  const columns = new Map<Known, Column>()
  for (const { name, type, charset, collation } of rows) {
    const known = KNOWN.find((one) => one.toLowerCase() === String(name).toLowerCase())
    const column = { type: String(type).toLowerCase(), charset: identifier(charset), collation: identifier(collation) }
    if (known !== undefined) columns.set(known, column)
  }
  if (rows.length === 0) throw unreadable(`no table ${TABLE} that this user may read: GRANT SELECT on it`)
  const type = columns.get('session_id')?.type
  if (type === undefined) throw unreadable(`no column session_id in its table ${TABLE}`)
  if (!INTEGERS.has(type) && !TEXTS.has(type)) throw unreadable(`a session_id of type ${type}, which is not understood`)
  return columns
}

/** The name of a character set or collation: it becomes part of a statement. */
const identifier = (name: unknown) => (typeof name === 'string' && /^\w+$/.test(name) ? name : null)

const unreadable = (what: string) => new PrimaryUnavailable('away', `The primary MySQL has ${what}`)

const INTEGERS = new Set(['tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'decimal'])
const TEXTS = new Set(
  'char varchar tinytext text mediumtext longtext enum binary varbinary tinyblob blob mediumblob longblob uuid'.split(
    ' ',
  ),
)

/** Rows of one session that are read. */
const MOST_ROWS = 200
/** No session has a longer id (docs: a record with one is a dead letter); the server is not bothered with it. */
const LONGEST_ID = 1_024
const INTEGER = /^(0|-?[1-9]\d{0,29})$/

/** How the newest rows of a session are asked for, the newest first; null: its id cannot be in such a column. */
export function askForSession(columns: Columns, sessionId: string): Question | null {
  if (sessionId === '' || Buffer.byteLength(sessionId) > LONGEST_ID) return null
  const column = columns.get('session_id')
  if (column === undefined) return null
  const match = INTEGERS.has(column.type) ? matchInteger(sessionId) : matchText(column, sessionId)
  if (match === null) return null
  const names = KNOWN.filter((name) => columns.has(name))
  const times = (['updated_at', 'created_at', 'parking_start_time_UTC'] as const).filter((name) => columns.has(name))
  const order = times.length === 0 ? '' : ` ORDER BY COALESCE(${times.join(', ')}) DESC`
  const list = names.map((name) => `${name} AS ${name}`).join(', ')
  return { sql: `SELECT ${list} FROM ${TABLE} WHERE ${match.sql}${order} LIMIT ${MOST_ROWS}`, values: match.values }
}

/** As text `12abc` would equal 12, and two ids beyond 2^53 each other. */
function matchInteger(sessionId: string): Question | null {
  return INTEGER.test(sessionId) ? { sql: 'session_id = CAST(? AS DECIMAL(30))', values: [sessionId] } : null
}

/**
 * By the index first, which takes `a`, `A`, `á` and `a ` for one; then byte by byte, before rows are counted. The id is put
 * into the column's own character set: what that lacks would be an error in MariaDB, and cost MySQL the index.
 */
function matchText({ charset, collation }: Column, sessionId: string): Question {
  const own = charset === null || collation === null ? '?' : `CONVERT(? USING ${charset}) COLLATE ${collation}`
  return {
    sql: `session_id = ${own} AND CAST(CONVERT(session_id USING utf8mb4) AS BINARY) = CAST(? AS BINARY)`,
    values: [sessionId, sessionId],
  }
}

/**
 * The rows of this session and no other, oldest first.
 * @param now of what is planned for later a row cannot be.
 */
export function rowsOf(columns: Columns, rows: readonly Row[], sessionId: string, now: number): PrimaryRow[] {
  return rows
    .map(
      (row) =>
        new Map(
          KNOWN.filter((name) => columns.has(name)).map((name) => [name, jsonOf(row[name], columns.get(name)?.type)]),
        ),
    )
    .filter((values) => textOf(values.get('session_id')) === sessionId)
    .map((values) => rowOf(values, sessionId, now))
    .reverse()
    .sort((one, other) => one.updatedAt - other.updatedAt)
}

type Values = ReadonlyMap<Known, Json>

function rowOf(values: Values, sessionId: string, now: number): PrimaryRow {
  const updatedAt = timeOf(values, now)
  const session_data: JsonObject = {}
  for (const name of OF_SESSION) put(session_data, name, values)
  session_data.session_id = sessionId
  const record: JsonObject = { event_id: sessionId }
  put(record, 'event_type', values)
  put(record, 'zone_id', values)
  record.session_data = session_data
  if (updatedAt > 0) record.timestamp = new Date(updatedAt).toISOString()
  put(record, 'status', values)
  put(record, 'user_id', values)
  return { record, createdAt: readTime(values.get('created_at')) ?? updatedAt, updatedAt }
}

function put(into: JsonObject, name: Known, values: Values): void {
  const value = values.get(name)
  if (value !== undefined) into[name] = value
}

/**
 * When a row was last true: as it was written, else as it was made, else the end or the start of parking, whichever has
 * happened. A row that tells none of them is older than anything that is known of the session: 0.
 */
function timeOf(values: Values, now: number): number {
  const written = readTime(values.get('updated_at')) ?? readTime(values.get('created_at'))
  if (written !== null) return written
  const parked = (['parking_stop_time_UTC', 'parking_start_time_UTC'] as const).map((name) =>
    readTime(values.get(name)),
  )
  return parked.find((time) => time !== null && time <= now) ?? 0
}

const LOCAL = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?$/
/** A smaller number is an epoch in seconds. */
const SECONDS_BELOW = 1e11

/** Epoch ms; null where there is none. */
function readTime(value: Json | undefined): number | null {
  if (typeof value === 'number') return value > 0 ? value * (value < SECONDS_BELOW ? 1_000 : 1) : null
  if (typeof value !== 'string') return null
  const [, day, time = '00:00'] = LOCAL.exec(value) ?? []
  const read = Date.parse(day === undefined ? value : `${day}T${time}Z`)
  return Number.isNaN(read) ? null : read
}

/** What the driver gives for a column of this type, as a record has it. */
function jsonOf(value: unknown, type: string | undefined): Json {
  if (value === null || value === undefined) return null
  if (Buffer.isBuffer(value)) return isUtf8(value) ? value.toString('utf8') : value.toString('base64')
  if (type === 'datetime' || type === 'timestamp') return instant(String(value))
  if (type === 'date') return Number.isNaN(Date.parse(String(value))) ? null : String(value)
  if (type === 'decimal' && typeof value === 'string') return exact(value)
  if (type === 'bigint' && typeof value === 'string') return BigInt(value)
  if (type === 'float' && typeof value === 'number') return shortest(value)
  return typeof value === 'number' ? value : String(value)
}

/** These columns are in UTC, and say so by their names or by custom. MySQL's zero date is no time. */
function instant(text: string): string | null {
  const time = Date.parse(`${text.replace(' ', 'T')}Z`)
  return Number.isNaN(time) ? null : new Date(time).toISOString()
}

/** The number that a decimal is, or its text where no double has its digits. */
function exact(text: string): number | string {
  const plain = text.includes('.') ? text.replace(/\.?0+$/, '') : text
  return String(Number(plain)) === plain ? Number(plain) : text
}

/** A FLOAT comes as the double next to it, 0.10000000149011612 for 0.1. */
function shortest(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return short
  }
  return value
}

const textOf = (value: Json | undefined): string | null =>
  typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'bigint' ? String(value) : null
