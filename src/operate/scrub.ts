/**
 * The last gate before a log line or a health answer leaves the process. Records are cleaned where they are normalized;
 * this catches what a driver's error message quotes.
 */

function luhn(digits: string): boolean {
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i])
    const doubled = digit * 2
    sum += i % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

// 13 to 19 digits, single blanks or hyphens between them, starting as card numbers do.
const CARD_LIKE = /(?<!\d)[2-6](?:[ -]?\d){12,18}(?!\d)/g
const CREDENTIALS = /([A-Za-z][A-Za-z0-9+.-]*:\/\/)[^\s"/@]*:[^\s"@]*@/g

/** MongoDB quotes the whole command that a user may not run, to the end of the text, or of the text in a JSON text. */
const FORBIDDEN =
  /(not authorized on [^\s"]+ to execute command \{ \w+: )(?:("[^"]*")[\s\S]*|(\\"[^"\\]*\\")?(?:[^"\\]|\\.)*)/g

/** Card numbers, the credentials of connection strings and quoted commands taken out. A JSON text stays one. */
export function scrub(text: string): string {
  const told = text.replace(FORBIDDEN, '$1$2$3, … }').replace(CREDENTIALS, '$1***@')
  return told.replace(CARD_LIKE, (match, at: number) => {
    if (!luhn(match.replaceAll(/[ -]/g, ''))) return match
    // A bare JSON number must stay a number.
    const bare = /[[,:]/.test(text[at - 1] ?? '') && /[\]},]/.test(text[at + match.length] ?? '')
    return bare ? '0' : '[card number]'
  })
}
