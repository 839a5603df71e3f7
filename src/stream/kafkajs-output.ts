import { GrowingBuffer } from './growing-buffer.ts'

/** Writes Kafka's protocol. Avro has the same numbers of variable length. */
export class Output extends GrowingBuffer {
  int8(value: number): void {
    this.buffer.writeInt8(value, this.reserve(1))
  }

  int16(value: number): void {
    this.buffer.writeInt16BE(value, this.reserve(2))
  }

  int32(value: number): void {
    this.buffer.writeInt32BE(value, this.reserve(4))
  }

  int32At(at: number, value: number): void {
    this.buffer.writeInt32BE(value, at)
  }

  int64(value: bigint): void {
    this.buffer.writeBigInt64BE(value, this.reserve(8))
  }

  /** A text with its length in two bytes; null has length -1. */
  string(text: string | null): void {
    if (text === null) {
      this.int16(-1)
      return
    }
    const size = this.reserve(2)
    this.text(text)
    this.buffer.writeInt16BE(this.at - size - 2, size)
  }

  /** A safe integer as a zigzag number of variable length. It is never doubled: beyond 2^52 that is not exact. */
  varint(value: number): void {
    this.ensure(10)
    const { buffer } = this
    const sign = value < 0 ? 1 : 0
    let rest = sign === 1 ? -value - 1 : value
    let byte = (rest % 0x40) * 2 + sign
    for (rest = Math.floor(rest / 0x40); rest > 0; rest = Math.floor(rest / 0x80)) {
      buffer[this.at++] = byte | 0x80
      byte = rest % 0x80
    }
    buffer[this.at++] = byte
  }

  /** Leaves room for the length of what comes next, as wide as that of `guess` bytes; returns where that begins. */
  openSized(guess: number): number {
    return this.reserve(varintSize(guess)) + varintSize(guess)
  }

  /** Writes at `start` the length of what stands from `body` on, which is moved where the guess was wrong. */
  closeSized(start: number, body: number): void {
    const size = this.at - body
    const moved = start + varintSize(size)
    this.ensure(10) // before the position goes back: only what is below it survives a growing
    if (moved !== body) this.buffer.copyWithin(moved, body, body + size)
    this.at = start
    this.varint(size)
    this.at = moved + size
  }
}

function varintSize(value: number): number {
  let size = 1
  for (let rest = value < 0 ? -2 * value - 1 : 2 * value; rest >= 0x80; rest /= 0x80) size++
  return size
}
