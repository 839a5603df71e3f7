import { isCardNumber } from './card-numbers.ts'
import { replaceSpans, type Span } from './spans.ts'

/** Stands for a character that is not looked at, such as of an escape. */
export const ESCAPED = '\u0000'

/**
 * What stands between the groups of a card beside single blanks and hyphens, the same between all, and how JSON within JSON
 * writes it; not what stands between the items of a list.
 */
const BETWEEN = String.raw`(\\{0,8}[._/+\t]|\\{1,8}|%20|${ESCAPED}{2,16}|\s{2,3}|\s[-–—.]\s)`
const GROUPS = String.raw`\d{4}${BETWEEN}(?:\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|\d{6}\1\d{4,5})`
const PRINTED = new RegExp(String.raw`(?<![\p{L}\p{N}])${GROUPS}(?![\p{L}\p{N}])`, 'gu')
const PRINTED_ANYWHERE = new RegExp(GROUPS, 'gu')

interface PrintedCard extends Span {
  digits: string
}

/** The next card number in groups at or after `from`. Groups before it may look like some of it. */
function nextPrinted(pattern: RegExp, text: string, from: number): PrintedCard | null {
  pattern.lastIndex = from
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const [all, between = ''] = match
    const card = cardIn(all.split(between), match.index, between.length)
    if (card !== null) return card
    pattern.lastIndex = match.index + 1
  }
  return null
}

/** Three digits behind the card may be its security code. */
function cardIn(groups: string[], start: number, between: number): PrintedCard | null {
  for (let count = groups.length; count >= Math.min(groups.length, 4); count--) {
    const digits = groups.slice(0, count).join('')
    if (isCardNumber(digits)) return { start, end: start + digits.length + (count - 1) * between, digits }
  }
  return null
}

/** Whether a card number stands there in groups, whatever stands beside it. */
export const showsPrintedCard = (text: string): boolean => nextPrinted(PRINTED_ANYWHERE, text, 0) !== null

/** @param shown the text, of equal length, as it is to be read. */
export const replacePrinted = (text: string, shown: string, replace: (digits: string) => string): string =>
  replaceSpans(text, shown, nextPrintedAlone, token, replace)

const nextPrintedAlone = (shown: string, from: number) => nextPrinted(PRINTED, shown, from)

const token = ({ digits }: PrintedCard, _: string, replace: (digits: string) => string) => replace(digits)
