/**
 * Where each head is on disk: a hash table of 12 bytes a slot (hash, address, time in seconds) in one typed array, outside
 * of what the garbage collector walks. Open addressing; a slot's home follows from the hash's upper bits, so that growing
 * keeps the order. Address 0 is an empty slot.
 */
const FIELDS = 3
const MOST_FILLED = 0.8
const GROWTH = 1.4
const FEWEST_SLOTS = 256

export interface Table {
  readonly size: number
  /** The slots as they are stored; valid until the next change. */
  readonly slots: Uint32Array<ArrayBuffer>
  /** The slot with this hash whose address `isIt` accepts, or -1. */
  find(hash: number, isIt: (address: number) => boolean): number
  /** Sets `slot`, or a new one where it is -1. */
  set(slot: number, hash: number, address: number, seconds: number): void
  /** Another address for what is at `slot`. */
  move(slot: number, address: number): void
  remove(slot: number): void
  /** The addresses of those with a time before `seconds`, in the next of `slices` slices of the slots, round and round. */
  before(seconds: number, slices: number): number[]
}

export function createTable(stored: Uint32Array<ArrayBuffer> = new Uint32Array(FEWEST_SLOTS * FIELDS)): Table {
  let slots = stored
  let capacity = slots.length / FIELDS
  let size = 0
  for (let at = 1; at < slots.length; at += FIELDS) if (slots[at] !== 0) size++
  let round = 0

  const homeOf = (hash: number) => Math.floor((hash * capacity) / 2 ** 32)
  const after = (slot: number) => (slot + 1 === capacity ? 0 : slot + 1)
  const isFree = (slot: number) => slots[slot * FIELDS + 1] === 0
  const freeSlot = (hash: number) => {
    let slot = homeOf(hash)
    while (!isFree(slot)) slot = after(slot)
    return slot
  }
  const grow = () => {
    const old = slots
    capacity = Math.ceil(capacity * GROWTH)
    slots = new Uint32Array(capacity * FIELDS)
    for (let at = 0; at < old.length; at += FIELDS) {
      if (old[at + 1] === 0) continue
      const to = freeSlot(old[at] as number) * FIELDS
      for (let i = 0; i < FIELDS; i++) slots[to + i] = old[at + i] as number
    }
    // Given back now, and not when the garbage collector comes by: it is megabytes.
    old.buffer.transfer(0)
  }

  return {
    get size() {
      return size
    },
    get slots() {
      return slots
    },
    find(hash, isIt) {
      for (let slot = homeOf(hash); ; slot = after(slot)) {
        const address = slots[slot * FIELDS + 1] as number
        if (address === 0) return -1
        if (slots[slot * FIELDS] === hash && isIt(address)) return slot
      }
    },
    set(slot, hash, address, seconds) {
      let at = slot * FIELDS
      if (slot < 0) {
        if (++size > capacity * MOST_FILLED) grow()
        at = freeSlot(hash) * FIELDS
      }
      slots[at] = hash
      slots[at + 1] = address
      slots[at + 2] = seconds
    },
    move(slot, address) {
      slots[slot * FIELDS + 1] = address
    },
    remove(slot) {
      size--
      let hole = slot
      for (let next = after(hole); !isFree(next); next = after(next)) {
        // What stands behind the hole moves into it, unless its home lies between the two.
        const fromHome = (next - homeOf(slots[next * FIELDS] as number) + capacity) % capacity
        if (fromHome < (next - hole + capacity) % capacity) continue
        slots.copyWithin(hole * FIELDS, next * FIELDS, (next + 1) * FIELDS)
        hole = next
      }
      slots.fill(0, hole * FIELDS, (hole + 1) * FIELDS)
    },
    before(seconds, slices) {
      const found: number[] = []
      for (let left = Math.ceil(capacity / slices); left > 0; left--) {
        if (round >= capacity) round = 0
        const at = round++ * FIELDS
        if (slots[at + 1] !== 0 && (slots[at + 2] as number) < seconds) found.push(slots[at + 1] as number)
      }
      return found
    },
  }
}

/** A hash of bytes, other for each seed, all 32 bits of it well mixed. */
export function hashOf(bytes: Uint8Array, from: number, to: number, seed: number): number {
  let h = seed
  for (let i = from; i < to; i++) h = Math.imul(h ^ (bytes[i] as number), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
