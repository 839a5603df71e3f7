/** A buffer to write into, that grows as needed and is used again. */

const SMALLEST = 1 << 20
/** Up to here a loop is faster than a call into native code. */
const SHORT = 64

export class GrowingBuffer {
  buffer = Buffer.allocUnsafeSlow(SMALLEST)
  /** Where the next byte goes. */
  at = 0
  #mostKept: number

  /** `shrink` gives back what is larger than `mostKept` bytes. */
  constructor(mostKept: number) {
    this.#mostKept = mostKept
  }

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

  /** What `write` writes for each item; the parts share one buffer of their own. */
  each<T>(items: readonly T[], write: (item: T, index: number) => void): Buffer[] {
    this.at = 0
    const ends = items.map((item, index) => {
      write(item, index)
      return this.at
    })
    const bytes = this.copy()
    this.shrink()
    return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
  }

  shrink(): void {
    if (this.buffer.length > this.#mostKept) this.buffer = Buffer.allocUnsafeSlow(SMALLEST)
  }

  /** Skips `size` bytes, to be written later; returns where they are. */
  reserve(size: number): number {
    this.ensure(size)
    const at = this.at
    this.at += size
    return at
  }

  bytes(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length)
    this.buffer.set(bytes, at)
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
}
