/** Cards in requests. URLs end up in logs and histories, so no card number may stand in one. */
import { cardTokens } from '../../contract/card-token.ts'
import { RequestProblem } from './problems.ts'

export interface CardReading {
  /** The text without card numbers. */
  cleanText: (text: string) => string
  /** All keys of tokens, the newest first; empty: card numbers are masked. */
  tokenKeys: readonly string[]
  /** Some fields hold digits that are never taken for a card: ids that look like one are let in. */
  hasExemptPaths: boolean
}

/** @throws RequestProblem when the text from a URL holds a card number. */
export function assertNoCard(text: string, { cleanText }: CardReading): void {
  if (cleanText(text) === text) return
  throw new RequestProblem(
    'card-number-in-url',
    'URLs are written to logs and histories',
    'Send POST /v1/events/query with {"card": "…"} as its body',
  )
}

/** The same of an id. */
export function assertNoCardIn(id: string, reading: CardReading): void {
  if (!reading.hasExemptPaths) assertNoCard(id, reading)
}

/**
 * What documents may have for a card that is given as its number, or as it is stored.
 * @throws RequestProblem for a number where numbers are masked: many cards share a mask.
 */
export function storedCards(card: string, { cleanText, tokenKeys }: CardReading): string[] {
  if (cleanText(card) === card) return [card]
  if (tokenKeys.length === 0)
    throw new RequestProblem('cards-are-masked', 'Several cards share a mask', 'Set CARD_TOKEN_KEY for new documents')
  return cardTokens(card, tokenKeys)
}
