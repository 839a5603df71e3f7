/**
 * JSON for who may not read cards: without the members named `card`, and without the tokens and masks of card numbers wherever they
 * stand. Works on the text, since the answers of the cache are text.
 */
export function withoutCards(json: string): string {
  return json.replace(CARD_AND_COMMA, '{').replace(CARD_AFTER_COMMA, '').replace(TOKENS_AND_MASKS, '***')
}

const VALUE = String.raw`:(?:"(?:[^"\\]|\\.)*"|null|-?[0-9.eE+-]+)`
/** A quote within a text has a backslash before it, so that these are names of members. */
const CARD_AND_COMMA = new RegExp(String.raw`\{"card"${VALUE},?`, 'g')
const CARD_AFTER_COMMA = new RegExp(`,"card"${VALUE}`, 'g')
/** `tok_…` of `contract/card-token.ts`; first six and last four digits with stars or hyphens between. */
const TOKENS_AND_MASKS = /tok_[0-9a-f]{32}|(?<!\d)\d{6}(?:\*{3,}|-{3,})\d{4}(?!\d)/g
