/**
 * A session as bytes: what its row does not hold.
 *
 *   3 bytes   size of all that follows
 *   key, card, each with its size before it (+ 1 for the card; 0: it has none)
 *   1 byte    whether zone and end are known
 *             of zone, card and end, how much older than the newest update is the one that named it
 *   6 bytes   when it ends
 *             its moves: count, then of each the number of the zone + 1, and twice the step, + 1 for a move into it
 *             revision and state, as the store of heads has them
 *
 * Numbers without a size are varints, texts UTF-8.
 */
import type { StatusUpdate } from '../../../contract/status-update.ts'
import { type Cursor, readVarint, textBound, writeVarint } from '../../../status/heads/bytes.ts'
import { packedBound, packHead, unpackHead } from '../../../status/heads/pack.ts'
import type { Move, Session } from './session.ts'
import { sizeOfText, writeText } from './short-text.ts'

export type State = StatusUpdate['state']

/** What is read back of a session; its row has the rest. */
export interface Kept extends Pick<Session, 'revision' | 'card' | 'endsAt' | 'moves'> {
  /** When its zone was named, where it has one. */
  zoneAt: number
  /** Where in its buffer its revision and state begin. */
  headAt: number
}

/** Zones by their numbers. */
export interface ZoneNumbers {
  numberOf(zone: string): number
  textOf(number: number): string
}

const SIZE_BYTES = 3
const HAS_ZONE = 1
const HAS_END = 2
const END_BY_SESSION = 4

/** The most bytes that `packRecord` takes. */
export function recordBound(key: string, { card, moves }: Session, state: State): number {
  return packedBound(key, { revision: 0, state }) + textBound(card?.value ?? '') + 16 * (moves.length + 4)
}

/** Writes a record from 0 on, and leaves the cursor after it. Every zone that it moved into or out of must have a number. */
export function packRecord(to: Cursor, key: string, session: Session, state: State, zones: ZoneNumbers): void {
  const { zone, card, endsAt, moves, revision } = session
  to.at = SIZE_BYTES
  packText(to, key, 0)
  if (card) packText(to, card.value, 1)
  else writeVarint(to, 0)
  const known = (zone ? HAS_ZONE : 0) | (endsAt ? HAS_END : 0)
  to.buffer[to.at++] = known | (endsAt?.bySession ? END_BY_SESSION : 0)
  for (const named of [zone, card, endsAt]) if (named) writeVarint(to, Math.max(0, session.occurredAt - named.at))
  if (endsAt) to.at = to.buffer.writeUIntBE(endsAt.value, to.at, 6)
  writeVarint(to, moves.length)
  for (const move of moves) {
    writeVarint(to, move.zone === null ? 0 : zones.numberOf(move.zone) + 1)
    writeVarint(to, 2 * move.step + (move.by > 0 ? 1 : 0))
  }
  packHead(to, { revision, state })
  to.buffer.writeUIntLE(to.at - SIZE_BYTES, 0, SIZE_BYTES)
}

function packText(to: Cursor, text: string, more: number): void {
  writeVarint(to, sizeOfText(text) + more)
  to.at += writeText(to.buffer, text, to.at)
}

/** Where a key or a card stands in a buffer. */
export interface Span {
  from: number
  to: number
}

export function keySpan({ buffer, at }: Cursor): Span {
  const cursor = { buffer, at: at + SIZE_BYTES }
  const size = readVarint(cursor)
  return { from: cursor.at, to: cursor.at + size }
}

/** Null: it has no card. */
export function cardSpan({ buffer, at }: Cursor): Span | null {
  const cursor = { buffer, at: keySpan({ buffer, at }).to }
  const size = readVarint(cursor) - 1
  return size < 0 ? null : { from: cursor.at, to: cursor.at + size }
}

/** Reads the record that begins at the cursor. Moves up to the step `forgotten` are left out. */
export function readRecord(from: Cursor, occurredAt: number, forgotten: number, zones: ZoneNumbers): Kept {
  const { buffer } = from
  const span = cardSpan(from)
  from.at = span?.to ?? keySpan(from).to + 1
  const known = buffer[from.at++] as number
  const zoneAt = known & HAS_ZONE ? occurredAt - readVarint(from) : 0
  const card = span && { value: buffer.toString('utf8', span.from, span.to), at: occurredAt - readVarint(from) }
  const endsAt = known & HAS_END ? readEnd(from, occurredAt, (known & END_BY_SESSION) !== 0) : null
  const moves: Move[] = []
  for (let left = readVarint(from); left > 0; left--) {
    const zone = readVarint(from)
    const stepAndWay = readVarint(from)
    const step = Math.floor(stepAndWay / 2)
    // Its zone may have no number any more, and the number be another's.
    if (step <= forgotten) continue
    moves.push({ zone: zone === 0 ? null : zones.textOf(zone - 1), step, by: stepAndWay % 2 === 1 ? 1 : -1 })
  }
  const headAt = from.at
  return { zoneAt, card, endsAt, moves, revision: readVarint(from), headAt }
}

/** The state in the record that begins at the cursor, whose head is there. */
export function readState({ buffer, at }: Cursor, headAt: number): State {
  const end = at + SIZE_BYTES + buffer.readUIntLE(at, SIZE_BYTES)
  return unpackHead({ buffer, at: headAt }, end)?.state ?? {}
}

function readEnd(from: Cursor, occurredAt: number, bySession: boolean): Session['endsAt'] {
  const at = occurredAt - readVarint(from)
  const value = from.buffer.readUIntBE(from.at, 6)
  from.at += 6
  return { value, at, bySession }
}
