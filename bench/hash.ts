/** A well mixed 32-bit number of two: the same for the same, so that a record follows from its number. */
export function hash(seed: number, number: number): number {
  let h = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(number + 0x7f4a7c15, 0xc2b2ae35)
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad)
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97)
  return (h ^ (h >>> 15)) >>> 0
}

const hex = (number: number) => number.toString(16).padStart(8, '0')

/** A version 4 UUID for a number; no two numbers of a seed share one. */
export function uuid(seed: number, number: number): string {
  const a = hex(hash(seed, number))
  const b = hex(hash(seed + 101, number))
  const c = hex(hash(seed + 202, number))
  return `${a}-${b.slice(0, 4)}-4${b.slice(5)}-a${c.slice(1, 4)}-${c.slice(4)}${hex(number)}`
}
