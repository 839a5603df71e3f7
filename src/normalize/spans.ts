/** Where a part of a text begins, and behind its last character. */
export interface Span {
  start: number
  end: number
}

/**
 * The text with what stands for card numbers in it replaced; the same text when there is none. Takes functions that are made
 * once, since every text of every record passes here.
 *
 * @param shown the text, of equal length, as it is to be read
 * @param next the next span at or after a place
 * @param make what comes in the place of a span; `replace` is handed on to it
 */
export function replaceSpans<S extends Span>(
  text: string,
  shown: string,
  next: (shown: string, from: number) => S | null,
  make: (span: S, shown: string, replace: (digits: string) => string) => string,
  replace: (digits: string) => string,
): string {
  let result = ''
  let copied = 0
  for (let span = next(shown, 0); span !== null; span = next(shown, span.end)) {
    result += text.slice(copied, span.start) + make(span, shown, replace)
    copied = span.end
  }
  return copied === 0 ? text : result + text.slice(copied)
}
