import type { Span } from './spans.ts'

export const SHORTEST_CARD = 13
const BLANK = 32
const HYPHEN = 45

/** Blanks and hyphens beside those of ASCII, and what stands for bytes that are no UTF-8, as Latin-1 has them. */
const MORE_SEPARATORS =
  '\u00a0\u00ad\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u2010\u2011\u2012\u2013\u2014\u2015\u202f\u2060\u2212\u3000\ufffd'

/**
 * The next run, at or after `from`, of at least 13 digits with single separators between them; null when there is none.
 * By hand: a regular expression keeps a place on a stack of its own for each digit, and fails on millions of them.
 *
 * @param alone only such as do not go on from a word; then a run may begin within, behind a separator.
 */
export function nextRun(text: string, from: number, alone: boolean): Span | null {
  let start = from
  let end = from
  let digits = 0
  let inWord = false
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (isDigit(code)) {
      if (digits === 0) {
        start = i
        inWord = alone && endsWithWord(text, i)
      }
      digits++
      end = i + 1
    } else if (digits !== 0 && (inWord || end !== i || !isSeparator(code))) {
      if (digits >= SHORTEST_CARD && !inWord) break
      digits = 0
    }
  }
  return digits >= SHORTEST_CARD && !inWord ? { start, end } : null
}

const WORD = /[\p{L}\p{N}]$/u

/** Whether a letter or digit stands before `end`. */
function endsWithWord(text: string, end: number): boolean {
  const code = text.charCodeAt(end - 1) | 32
  if (code < 128) return (code >= 97 && code <= 122) || isDigit(text.charCodeAt(end - 1))
  return end > 0 && WORD.test(text.slice(Math.max(0, end - 2), end))
}

/** Whether it is a blank or a hyphen, of whatever kind. */
export const isSeparator = (code: number) =>
  code === BLANK || code === HYPHEN || (code > 127 && MORE_SEPARATORS.includes(String.fromCharCode(code)))
export const isDigit = (code: number) => code >= 48 && code <= 57
