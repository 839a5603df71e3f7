/** A buffer that grows, to write Kafka's protocol into. */

const SMALLEST = 1 << 20
/** What a rare large request leaves behind is given back. */
const LARGEST_KEPT = 1 << 22
/** Up to here a loop is faster than a call into native code. */
const SHORT = 48

export class Output {
  buffer = Buffer.allocUnsafeSlow(SMALLEST)
  /** Where the next byte goes. */
  at = 0

  /** Makes room for `size` more bytes. */
  ensure(size: number): void {
    const needed = this.at + size
    if (needed <= this.buffer.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.buffer.length))
    this.buffer.copy(grown, 0, 0, this.at)
    this.buffer = grown
  }

  /** What was written, in a buffer of its own. */
  copy(): Buffer {
    const copy = Buffer.allocUnsafeSlow(this.at)
    this.buffer.copy(copy, 0, 0, this.at)
    return copy
  }

  shrink(): void {
    if (this.buffer.length > LARGEST_KEPT) this.buffer = Buffer.allocUnsafeSlow(SMALLEST)
  }

  /** Skips `size` bytes, to be written later; returns where they are. */
  reserve(size: number): number {
    this.ensure(size)
    const at = this.at
    this.at += size
    return at
  }

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

  bytes(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length)
    this.buffer.set(bytes, at)
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

  /** UTF-8. */
  text(text: string): void {
    const { length } = text
    this.ensure(3 * length)
    const { buffer } = this
    let { at } = this
    if (length <= SHORT) {
      let i = 0
      for (; i < length; i++) {
        const unit = text.charCodeAt(i)
        if (unit > 0x7f) break
        buffer[at++] = unit
      }
      if (i === length) {
        this.at = at
        return
      }
    }
    this.at += buffer.write(text, this.at)
  }

  /** A zigzag number of variable length. */
  varint(value: number): void {
    this.ensure(10)
    const { buffer } = this
    let rest = value < 0 ? -2 * value - 1 : 2 * value
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) buffer[this.at++] = (rest % 0x80) | 0x80
    buffer[this.at++] = rest
  }

  /** Leaves room for the length of what comes next, as wide as that of `guess` bytes; returns where that begins. */
  openSized(guess: number): number {
    return this.reserve(varintSize(guess)) + varintSize(guess)
  }

  /** Writes at `start` the length of what stands from `body` on, which is moved where the guess was wrong. */
  closeSized(start: number, body: number): void {
    const size = this.at - body
    const moved = start + varintSize(size)
    if (moved !== body) {
      this.ensure(moved - body)
      this.buffer.copyWithin(moved, body, body + size)
    }
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
