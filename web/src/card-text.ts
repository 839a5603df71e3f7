/**
 * A card number must never stand in an address: that is where histories, logs and proxies keep it. What may be one goes in
 * the body of a request only.
 */

const TOKEN = /^tok_[0-9a-f]{32}$/
/** Twelve digits or more, of any script, with what people write between them. */
const LONG_NUMBER = /(?:\p{Nd}[\s\p{Pd}.,_/·]*){12}/u

/** Whether a text that was given as a card may hold a number. Rather too often than once too few. */
export const mayBeCardNumber = (text: string): boolean => !TOKEN.test(text) && LONG_NUMBER.test(text)

/** Whether a text that was given as a session id looks like a card number: its length, its first digit and its check digit. */
export function looksLikeCardNumber(text: string): boolean {
  const digits = text.replaceAll(/[\s\p{Pd}.]/gu, '')
  return /^[2-6]\d{12,18}$/.test(digits) && checkDigitFits(digits)
}

/** Luhn's sum. */
function checkDigitFits(digits: string): boolean {
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i])
    const doubled = i % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}
