/**
 * Where a reader stands in the status topic: the next offset of each partition. As text, the id of a server-sent event, it is their
 * base-36 digits in order, joined by dots. A partition that is not named was not there yet: its next offset is 0.
 */
export type Position = readonly number[]

/** Never empty: an empty id would have a client come back without any. */
export const positionText = (position: Position): string =>
  position.map((offset) => offset.toString(36)).join('.') || '0'

const TEXT = /^[0-9a-z]{1,13}(\.[0-9a-z]{1,13}){0,9999}$/

/** Null when the text is none. An offset that no log has, of over 2^53, is read as about what it is. */
export function positionOf(text: string): number[] | null {
  if (!TEXT.test(text)) return null
  return text.split('.').map((digits) => Number.parseInt(digits, 36))
}

export const offsetIn = (position: Position, partition: number): number => position[partition] ?? 0

/** Moves it on, or back, to the next offset of a partition. */
export function moveTo(position: number[], partition: number, next: number): void {
  while (position.length <= partition) position.push(0)
  position[partition] = next
}

/** Whether all that lies before `position` lies before `end` too. */
export const isWithin = (position: Position, end: Position): boolean =>
  position.every((offset, partition) => offset <= offsetIn(end, partition))

/** The later of both in each partition. */
export const latest = (a: Position, b: Position): number[] => each(a, b, Math.max)

/** The earlier of both in each partition. */
export const earliest = (a: Position, b: Position): number[] => each(a, b, Math.min)

/** Offsets that lie between two positions. */
export const distance = (a: Position, b: Position): number =>
  each(a, b, (x, y) => Math.abs(x - y)).reduce((sum, one) => sum + one, 0)

function each(a: Position, b: Position, of: (x: number, y: number) => number): number[] {
  const length = Math.max(a.length, b.length)
  return Array.from({ length }, (_, partition) => of(offsetIn(a, partition), offsetIn(b, partition)))
}
