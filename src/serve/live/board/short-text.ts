/** Ids are short and ASCII: for so few bytes a call out of JavaScript takes longer than a loop in it. */
const SHORT = 64

/** Writes UTF-8 at `from`, where there must be room for three bytes a character. Returns how many bytes it took. */
export function writeText(to: Buffer, text: string, from: number): number {
  const { length } = text
  if (length > SHORT) return to.write(text, from)
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return to.write(text, from)
    to[from + i] = code
  }
  return length
}

/** How many bytes it takes in UTF-8. */
export function sizeOfText(text: string): number {
  const { length } = text
  if (length > SHORT) return Buffer.byteLength(text)
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) > 0x7f) return Buffer.byteLength(text)
  return length
}
