/**
 * A key and its head as compact bytes, pure: the key, the revision (0: the key has ended), then each kind as
 *
 *   1 byte    which kind (low 3 bits; 7: its name follows), and whether its time (8) and its event id (16) are short
 *   1 byte    the status word; 0: its text follows
 *   6 bytes   the observed time in epoch milliseconds, or its text
 *   16 bytes  the event id where it is a UUID, or its text
 */

import { isoOf, msOf } from '../../contract/iso-time.ts'
import type { KindState } from '../../contract/status-update.ts'
import type { Head } from '../fold.ts'
import { type Cursor, readText, readUuid, readVarint, textBound, writeText, writeUuid, writeVarint } from './bytes.ts'

const KINDS = ['error', 'payment', 'session', 'status']
const OTHER_KIND = 7
const SHORT_TIME = 8
const SHORT_ID = 16

/** Their places are part of the format: add at the end only. The first stands for any other word. */
const WORDS = [
  '',
  ...[
    'on-going',
    'finished',
    'alerted',
    'expired',
    'cancelled',
    'active',
    'started',
    'stopped',
    'completed',
    'pending',
  ],
  ...['authorized', 'captured', 'succeeded', 'success', 'failed', 'declined', 'refunded', 'settled', 'paid', 'voided'],
  ...[
    '0',
    '400',
    '401',
    '402',
    '403',
    '404',
    '405',
    '408',
    '409',
    '410',
    '422',
    '429',
    '500',
    '501',
    '502',
    '503',
    '504',
  ],
]
const CODES = new Map(WORDS.map((word, code) => [word, code]))

/** The most bytes that `pack` takes. */
export function packedBound(key: string, head: Head | null): number {
  let bound = 16 + textBound(key)
  for (const kind in head?.state) {
    const { status, occurred_at, event_id } = head.state[kind as keyof Head['state']] as KindState
    bound += 32 + textBound(kind) + textBound(status) + textBound(occurred_at) + textBound(event_id)
  }
  return bound
}

/** Writes the key as its size and UTF-8 bytes, as Kafka has it. Returns the place of its first byte. */
export function packKey(to: Cursor, key: string): number {
  writeVarint(to, Buffer.byteLength(key))
  const start = to.at
  to.at += to.buffer.write(key, start)
  return start
}

/** Whether the key of a record whose body begins at the cursor is `key` from `from` to `to`. Moves the cursor past it. */
export function hasKey(body: Cursor, key: Buffer, from: number, to: number): boolean {
  const size = readVarint(body)
  const start = body.at
  body.at += size
  return size === to - from && body.buffer.compare(key, from, to, start, body.at) === 0
}

/** Writes what follows the key; null says that it has ended. */
export function packHead(to: Cursor, head: Head | null): void {
  writeVarint(to, head?.revision ?? 0)
  for (const kind in head?.state) packKind(to, kind, head.state[kind as keyof Head['state']] as KindState)
}

function packKind(to: Cursor, kind: string, { status, occurred_at, event_id }: KindState): void {
  const known = KINDS.indexOf(kind)
  const ms = msOf(occurred_at)
  const start = to.at++
  let form = known < 0 ? OTHER_KIND : known
  if (known < 0) writeText(to, kind)
  const word = CODES.get(status) ?? 0
  to.buffer[to.at++] = word
  if (word === 0) writeText(to, status)
  if (ms >= 0) {
    form |= SHORT_TIME
    to.at = to.buffer.writeUIntBE(ms, to.at, 6)
  } else writeText(to, occurred_at)
  if (writeUuid(to, event_id)) form |= SHORT_ID
  else writeText(to, event_id)
  to.buffer[start] = form
}

/** Reads what follows the key, up to `end`. Throws RangeError when the bytes are not of this form. */
export function unpackHead(from: Cursor, end: number): Head | null {
  const revision = readVarint(from)
  const state: Record<string, KindState> = {}
  while (from.at < end) {
    const form = from.buffer[from.at++] as number
    const code = form & 7
    const kind = code === OTHER_KIND ? readText(from) : KINDS[code]
    if (kind === undefined) throw new RangeError(`there is no kind ${code}`)
    const word = from.buffer[from.at++] as number
    const status = word === 0 ? readText(from) : WORDS[word]
    if (status === undefined) throw new RangeError(`there is no status word ${word}`)
    let occurred_at: string
    if (form & SHORT_TIME) {
      occurred_at = isoOf(from.buffer.readUIntBE(from.at, 6))
      from.at += 6
    } else occurred_at = readText(from)
    const event_id = form & SHORT_ID ? readUuid(from) : readText(from)
    state[kind] = { status, occurred_at, event_id }
  }
  if (from.at !== end) throw new RangeError('a head ends where it should not')
  return revision === 0 ? null : { revision, state: state as Head['state'] }
}
