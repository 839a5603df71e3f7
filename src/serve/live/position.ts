/**
 * Where a reader stands in the status topic: the next offset of each partition. As text, the id of a server-sent event, it is their
 * base-36 digits in order, joined by dots.
 */
export type Position = readonly bigint[]

export const positionText = (position: Position): string => position.map((offset) => offset.toString(36)).join('.')

const TEXT = /^[0-9a-z]{1,13}(\.[0-9a-z]{1,13}){0,9999}$/

/** Null when the text is none. A partition that it does not name was not there yet: its next offset is 0. */
export function positionOf(text: string, partitions: number): bigint[] | null {
  if (!TEXT.test(text)) return null
  const offsets = text.split('.').map(offsetOf)
  if (offsets.length > partitions) return null
  return [...offsets, ...Array<bigint>(partitions - offsets.length).fill(0n)]
}

function offsetOf(digits: string): bigint {
  let offset = 0n
  for (const digit of digits) offset = offset * 36n + BigInt(Number.parseInt(digit, 36))
  return offset
}
