/**
 * Room for millions of short byte strings outside of the heap. Chunks of memory are cut into places of one size each;
 * sizes are apart by 16 bytes, larger ones by a quarter. A place that was given back is taken again by the next of its
 * size; chunks stay.
 *
 * A place is one number of 32 bits: the number of its chunk (20 bits) and where it begins there in units of 16 bytes.
 */
const UNIT = 16
const CHUNK = 65_536
const UNITS = CHUNK / UNIT
const NONE = 2 ** 32 - 1

interface Size {
  bytes: number
  /** The first of those that were given back; each holds the next in its first four bytes. */
  free: number
  /** The chunk that is being cut, and how far it is; -1: none. */
  chunk: number
  cut: number
}

export interface Slabs {
  /** Bytes of all chunks. */
  readonly bytes: number
  /** A place for `bytes`, at least one. */
  take(bytes: number): number
  give(place: number): void
  /** Whether `bytes` can stand at `place`, and would not waste it. */
  suits(place: number, bytes: number): boolean
  bufferOf(place: number): Buffer
  offsetOf(place: number): number
}

export function createSlabs(): Slabs {
  const sizes: Size[] = []
  const chunks: Buffer[] = []
  const sizeOfChunk: Size[] = []
  let bytes = 0

  const sizeFor = (wanted: number): Size => {
    let index = Math.min(Math.ceil(wanted / UNIT) - 1, FINE_SIZES)
    while (bytesOf(index) < wanted) index++
    const size = sizes[index] ?? { bytes: bytesOf(index), free: NONE, chunk: -1, cut: 0 }
    sizes[index] = size
    return size
  }
  const chunkOf = (place: number) => Math.floor(place / UNITS)
  const bufferOf = (place: number) => chunks[chunkOf(place)] as Buffer
  // A place larger than a chunk has one of its own.
  const offsetOf = (place: number) => (place % UNITS) * UNIT

  return {
    get bytes() {
      return bytes
    },
    take(wanted) {
      const size = sizeFor(wanted)
      if (size.free !== NONE) {
        const place = size.free
        size.free = bufferOf(place).readUInt32LE(offsetOf(place))
        return place
      }
      if (size.chunk < 0 || size.cut + size.bytes > CHUNK) {
        const chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK, size.bytes))
        bytes += chunk.length
        size.chunk = chunks.push(chunk) - 1
        size.cut = 0
        sizeOfChunk.push(size)
      }
      const place = size.chunk * UNITS + size.cut / UNIT
      size.cut += size.bytes
      return place
    },
    give(place) {
      const size = sizeOfChunk[chunkOf(place)] as Size
      bufferOf(place).writeUInt32LE(size.free, offsetOf(place))
      size.free = place
    },
    suits: (place, wanted) => sizeOfChunk[chunkOf(place)] === sizeFor(wanted),
    bufferOf,
    offsetOf,
  }
}

/** Sizes that are multiples of the unit. */
const FINE_SIZES = 32

function bytesOf(index: number): number {
  let bytes = (Math.min(index, FINE_SIZES - 1) + 1) * UNIT
  for (let i = FINE_SIZES; i <= index; i++) bytes = Math.ceil((bytes * 1.25) / UNIT) * UNIT
  return bytes
}
