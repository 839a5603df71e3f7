import { createHmac } from 'node:crypto'

/**
 * What stands for a card number (its digits alone) wherever the program stores or publishes one: `tok_` and the first 32 hex digits
 * of its HMAC-SHA-256 under a key of CARD_TOKEN_KEY.
 */
export function cardToken(key: string, digits: string): string {
  return `tok_${createHmac('sha256', key).update(digits).digest('hex').slice(0, 32)}`
}

/**
 * The tokens that a card number has under these keys, in their order: documents that were written before a key was changed have the
 * token of the key of their time. So all documents of a card are `find({ card: { $in: cardTokens(number, keys) } })`.
 */
export function cardTokens(number: string, keys: readonly string[]): string[] {
  const digits = number.replace(/[ -]/g, '')
  return keys.map((key) => cardToken(key, digits))
}
