import type { Source } from './record.ts'

/**
 * The order key of a record among all records of one event id: observed time, then status word, then source position.
 * (`status/fold.ts` compares the records of one session and kind: time, event id, word.) It is text in printable ASCII,
 * so that `<` in JavaScript and MongoDB's byte-wise string comparison agree on one total order:
 *
 *     001717245375000 finished parkmobile.events 0000000003 0000000000000000042
 *
 * A space parts the slots. It sorts below every character of a word, so a word sorts before its own extensions, and an
 * absent word before all. `~` sorts above every character of a word and fills the slot of a tombstone, which therefore
 * wins among records of the same time.
 */

const LAST_TIME = 999_999_999_999_999
/** What a word may not hold literally: anything but printable ASCII above space, the escape itself, a tombstone's `~`. */
const UNSAFE = /[^!-$&-}]/
const UNSAFE_RUNS = /[^!-$&-}]+/g

/**
 * @param at observed time, epoch milliseconds. Times before 1970 or after the year 33658 sort as those limits.
 * @param status the status word, null when the record has none.
 * @throws RangeError when `at` is not a number: the caller decides on the observed time before it asks for an order.
 */
export function orderOf(at: number, status: string | null, source: Source): string {
  return place(at, status === null ? '' : word(status), source)
}

/** The order key of a null value: above every record of the same observed time. */
export function tombstoneOrder(at: number, source: Source): string {
  return place(at, '~', source)
}

function place(at: number, slot: string, { topic, partition, offset }: Source): string {
  return `${timeSlot(at)} ${slot} ${partitionSlots(topic, partition)}${zeros(19 - offset.length)}${offset}`
}

/** Those of the last record: mostly the next one is of the same partition. */
let last = { topic: '', partition: -1, slots: '' }

function partitionSlots(topic: string, partition: number): string {
  if (last.partition !== partition || last.topic !== topic) {
    last = { topic, partition, slots: `${word(topic)} ${String(partition).padStart(10, '0')} ` }
  }
  return last.slots
}

function timeSlot(at: number): string {
  if (Number.isNaN(at)) throw new RangeError('An order key needs an observed time in epoch milliseconds, got NaN.')
  const digits = String(Math.trunc(Math.min(Math.max(at, 0), LAST_TIME)))
  return zeros(15 - digits.length) + digits
}

/** A few times faster than `padStart`. */
const ZEROS = Array.from({ length: 20 }, (_, count) => '0'.repeat(count))
const zeros = (count: number) => ZEROS[count] ?? ''

function word(text: string): string {
  return UNSAFE.test(text) ? text.toWellFormed().replace(UNSAFE_RUNS, percentEncoded) : text
}

function percentEncoded(run: string): string {
  let encoded = ''
  for (const byte of new TextEncoder().encode(run)) encoded += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  return encoded
}
