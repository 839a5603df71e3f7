import { namesOf } from '../normalize/field-names.ts'

/**
 * JSON for who may not read cards: without the members that have a card, by any of the names that we know for it and whatever stands
 * there, and without the tokens and masks of card numbers wherever they stand. Works on the text, since the answers of the cache are
 * text, and walks it once: a document may have megabytes, in any form that somebody thought of.
 * @param json without blanks between its parts
 */
export function withoutCards(json: string): string {
  return withoutMembers(json).replace(TOKENS_AND_MASKS, '***')
}

/**
 * `tok_…` of `contract/card-token.ts`; first six and last four digits with stars or hyphens between; and the last four behind stars, as
 * others write it. What may repeat is bounded, so that no place of the text is looked at often.
 */
const TOKENS_AND_MASKS =
  /tok_[0-9a-f]{32}|(?<!\d)\d{6}-{3,9}\d{4}(?!\d)|(?:(?<!\d)\d{1,6})?(?<!\*)\*{3,15}[ -]?\d{4}(?!\d)/g

const nameOf = namesOf(['card'])
const isOfCard = (name: string) => nameOf(name).number !== null

function withoutMembers(json: string): string {
  let kept = ''
  let from = 0
  for (let at = json.indexOf('"'); at >= 0; at = json.indexOf('"', at)) {
    const end = endOfText(json, at)
    if (json[end] !== ':' || !isOfCard(textOf(json.slice(at, end)))) {
      at = end
      continue
    }
    const valueEnd = endOfValue(json, end + 1)
    // A member goes with the comma before it; the first one, and what is the first then, with the one behind it.
    const isFirst = json[at - 1] === '{' || at === from
    kept += json.slice(from, isFirst ? at : at - 1)
    from = isFirst && json[valueEnd] === ',' ? valueEnd + 1 : valueEnd
    at = from
  }
  return from === 0 ? json : kept + json.slice(from)
}

const textOf = (quoted: string): string => (quoted.includes('\\') ? JSON.parse(quoted) : quoted.slice(1, -1))

/** @param start of its opening quote. */
function endOfText(json: string, start: number): number {
  for (let at = json.indexOf('"', start + 1); at >= 0; at = json.indexOf('"', at + 1)) {
    let before = at
    while (json[before - 1] === '\\') before--
    if ((at - before) % 2 === 0) return at + 1
  }
  return json.length
}

function endOfValue(json: string, start: number): number {
  let depth = 0
  for (let at = start; at < json.length; at++) {
    const character = json[at]
    if (character === '"') {
      at = endOfText(json, at) - 1
      if (depth === 0) return at + 1
    } else if (character === '{' || character === '[') depth++
    else if (character === '}' || character === ']') {
      if (depth === 0) return at
      if (--depth === 0) return at + 1
    } else if (character === ',' && depth === 0) return at
  }
  return json.length
}
