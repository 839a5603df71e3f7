/** The sessions themselves: rows of numbers, records beside them, found by key and by card. */
import { randomBytes } from 'node:crypto'
import type { Cursor } from '../../../status/heads/bytes.ts'
import { link, unlink } from './links.ts'
import {
  cardSpan,
  type Kept,
  keySpan,
  packRecord,
  readRecord,
  readState,
  recordBound,
  type Span,
  type State,
  type ZoneNumbers,
} from './record.ts'
import { createRows, type Rows } from './rows.ts'
import type { Session } from './session.ts'
import { createSlabs } from './slabs.ts'
import { createTextIndex } from './text-index.ts'

export interface Sessions {
  readonly rows: Rows
  /** Of the memory that records take. */
  readonly bytes: number
  /** -1: there is none. */
  rowOf(key: string): number
  /** Moves up to the step `forgotten` are left out. */
  read(row: number, forgotten: number): Kept
  /** The state of what was just read. */
  stateOf(row: number, kept: Kept): State
  keyOf(row: number): string
  /** Writes the record of a row, which has this card so far, or of a new row where it is -1. Returns the row. */
  write(row: number, key: string, session: Session, state: State, oldCard: string | null): number
  remove(row: number): void
  /** The first row with this card; `rows.byCard` has the others. -1: none. */
  withCard(card: string): number
  /** The order of two keys, of their bytes. */
  compareKeys(a: number, b: number): number
  compareKey(row: number, key: Buffer): number
}

export function createSessions(zones: ZoneNumbers): Sessions {
  const rows = createRows()
  const slabs = createSlabs()
  const seed = randomBytes(4).readUInt32LE()
  const record: Cursor = { buffer: Buffer.allocUnsafe(4_096), at: 0 }

  const recordOf = (row: number): Cursor => {
    const place = rows.place[row] as number
    return { buffer: slabs.bufferOf(place), at: slabs.offsetOf(place) }
  }
  const isAt = (spanOf: (record: Cursor) => Span | null) => (row: number, bytes: Buffer, size: number) => {
    const at = recordOf(row)
    const span = spanOf(at)
    return span !== null && isSame(at.buffer, span, bytes, size)
  }
  const byKey = createTextIndex(seed, isAt(keySpan))
  const byCard = createTextIndex(seed, isAt(cardSpan))

  const textIn = ({ buffer }: Cursor, { from, to }: Span) => buffer.toString('utf8', from, to)
  const cardOf = (row: number) => {
    const at = recordOf(row)
    const span = cardSpan(at)
    return span && textIn(at, span)
  }
  const keyOf = (row: number) => {
    const at = recordOf(row)
    return textIn(at, keySpan(at))
  }
  const linkCard = (row: number, card: string | null) => {
    if (card !== null) link(rows.byCard, row, byCard.set(card, row))
  }
  const unlinkCard = (row: number, card: string | null) => {
    if (card === null) return
    const first = unlink(rows.byCard, row)
    if (first === -1) byCard.delete(card)
    else if (first !== undefined) byCard.set(card, first)
  }
  const store = (row: number, isNew: boolean) => {
    const { buffer, at: size } = record
    if (!isNew && !slabs.suits(rows.place[row] as number, size)) slabs.give(rows.place[row] as number)
    else if (!isNew) return void buffer.copy(recordOf(row).buffer, recordOf(row).at, 0, size)
    rows.place[row] = slabs.take(size)
    const to = recordOf(row)
    buffer.copy(to.buffer, to.at, 0, size)
  }

  return {
    rows,
    get bytes() {
      return slabs.bytes
    },
    rowOf: byKey.rowOf,
    read: (row, forgotten) => readRecord(recordOf(row), rows.occurredAt[row] as number, forgotten, zones),
    stateOf: (row, { headAt }) => readState(recordOf(row), headAt),
    keyOf,
    write(known, key, session, state, oldCard) {
      const bound = recordBound(key, session, state)
      if (bound > record.buffer.length) record.buffer = Buffer.allocUnsafe(bound)
      packRecord(record, key, session, state, zones)
      const isNew = known < 0
      const row = isNew ? rows.take() : known
      const card = session.card?.value ?? null
      // While the old record is still there: cards are compared with it.
      if (oldCard !== card) unlinkCard(row, oldCard)
      store(row, isNew)
      rows.occurredAt[row] = session.occurredAt
      if (isNew) byKey.add(key, row)
      if (oldCard !== card) linkCard(row, card)
      return row
    },
    remove(row) {
      unlinkCard(row, cardOf(row))
      byKey.delete(keyOf(row))
      slabs.give(rows.place[row] as number)
      rows.give(row)
    },
    withCard: byCard.rowOf,
    compareKeys(a, b) {
      const one = recordOf(a)
      const other = recordOf(b)
      return compare(one.buffer, keySpan(one), other.buffer, keySpan(other))
    },
    compareKey(row, key) {
      const at = recordOf(row)
      return compare(at.buffer, keySpan(at), key, { from: 0, to: key.length })
    },
  }
}

/** In a loop: for so few bytes a call out of JavaScript takes longer. */
function isSame(buffer: Buffer, { from, to }: Span, bytes: Buffer, size: number): boolean {
  if (to - from !== size) return false
  for (let i = 0; i < size; i++) if (buffer[from + i] !== bytes[i]) return false
  return true
}

const compare = (a: Buffer, one: Span, b: Buffer, other: Span) => a.compare(b, other.from, other.to, one.from, one.to)
