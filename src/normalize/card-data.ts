import { cardToken } from '../contract/card-token.ts'
import type { DeadLetterReason } from '../contract/dead-letter.ts'
import { Decimal, type Json, type JsonObject } from '../contract/record.ts'
import { type CleanBytes, cleanBase64, cleanBytesWith } from './card-bytes.ts'
import { isCardNumber } from './card-numbers.ts'
import { mayHoldCard, replaceCards } from './cards-in-text.ts'
import { SHORTEST_CARD } from './digit-runs.ts'
import { put } from './put.ts'
import { remember } from './remember.ts'
import { isMonthAndYear, type Sensitivity, sensitivityOf } from './sensitive-fields.ts'

/** Takes card data out of what arrives, before anything else looks at it. */
export interface Cards {
  /**
   * The value without card data: card numbers, in values and keys, alone or in a longer text, are replaced by their token;
   * security codes, expiry, track data and PIN fields are gone. The same object when there is nothing to change.
   * @throws Unstorable when the value is beyond the limits, a key holds a NUL, or a number is infinite.
   */
  clean(value: Json): Json
  /** A text without card numbers: for keys and error messages. */
  cleanText(text: string): string
  /** Whether what stands under this name is dropped, whatever it is. */
  isDropped(name: string): boolean
  /** The bytes of a dead letter without card data; `value: null` when it can be seen but not taken out. */
  cleanBytes(value: Buffer): CleanBytes
}

export interface CardOptions {
  /** Key of the tokens; null: numbers are masked to first six and last four. */
  tokenKey: string | null
  /** Dotted paths in a record, such as `session_data.session_id`, whose values are never taken for cards. */
  exemptPaths: readonly string[]
  limits?: Limits
}

/** A value that no document can hold. Thrown by `clean`, which walks every value anyway; `normalize` makes it a reject. */
export class Unstorable extends Error {
  readonly reason: DeadLetterReason
  constructor(reason: DeadLetterReason, message: string) {
    super(message)
    this.reason = reason
  }
}

/** How much structure a record may have. */
export interface Limits {
  /** Levels of objects and arrays. */
  depth: number
  /** Keys of one object. */
  keys: number
  /** Items of one array. */
  items: number
}

/** Of the depth the most that can be: MongoDB takes 100 levels, and a document wraps its content in up to four. */
export const LIMITS: Limits = { depth: 90, keys: 100_000, items: 100_000 }
/** Numbers below have too few digits for a card. */
const SMALLEST_CARD = 1e12

/** Exempt paths as a tree; `exempt` at the end of a path covers all below. */
interface Exempt {
  exempt: boolean
  below: Map<string, Exempt>
}

export function createCards({ tokenKey, exemptPaths, limits = LIMITS }: CardOptions): Cards {
  const replace = tokenKey === null ? mask : (digits: string) => cardToken(tokenKey, digits)
  const cleanText = (text: string) => {
    if (text.length < SHORTEST_CARD) return text
    const clean = mayHoldCard(text) ? replaceCards(text, replace) : text
    return clean === text ? cleanBase64(text, replace) : clean
  }
  const exempt = exemptPaths.length === 0 ? undefined : exemptTree(exemptPaths)
  const walk = createWalk(cleanText, replace, limits)
  return {
    clean: (value) => walk(value, 1, exempt),
    cleanText,
    isDropped: (name) => sensitivityOf(name) === 'drop',
    cleanBytes: (value) => cleanBytesWith(value, replace),
  }
}

function mask(digits: string): string {
  return digits.slice(0, 6) + '*'.repeat(digits.length - 10) + digits.slice(-4)
}

function exemptTree(paths: readonly string[]): Exempt {
  const root: Exempt = { exempt: false, below: new Map() }
  for (const path of paths) {
    let place = root
    for (const name of path.split('.')) {
      const next = place.below.get(name) ?? { exempt: false, below: new Map() }
      place.below.set(name, next)
      place = next
    }
    place.exempt = true
  }
  return root
}

type Walk = (value: Json, depth: number, exempt: Exempt | undefined) => Json

/** The hot path of every record: nothing is allocated for a value that stays as it is. */
function createWalk(cleanText: (text: string) => string, replace: (digits: string) => string, limits: Limits): Walk {
  const keyPlanOf = createKeyPlans(cleanText)

  function walk(value: Json, depth: number, exempt: Exempt | undefined): Json {
    switch (typeof value) {
      case 'string':
        return value.length < SHORTEST_CARD || exempt?.exempt ? value : cleanText(value)
      case 'number':
        return (value < SMALLEST_CARD && value > -SMALLEST_CARD) || exempt?.exempt ? value : cleanNumber(value)
      case 'bigint':
        return exempt?.exempt ? value : cleanNumber(value)
      case 'object':
        if (value === null) return value
        if (value instanceof Decimal) return exempt?.exempt ? value : cleanDecimal(value)
        if (depth > limits.depth) throw tooMuch('too_deep', `The value is nested deeper than ${limits.depth} levels`)
        return Array.isArray(value) ? walkArray(value, depth, exempt) : walkObject(value, depth, exempt)
      default:
        return value
    }
  }

  function cleanNumber(value: number | bigint): Json {
    if (typeof value === 'number' && !Number.isInteger(value)) {
      if (!Number.isFinite(value))
        throw new Unstorable('number_out_of_range', 'A number is beyond what a double can hold. Send it as text.')
    }
    const whole = typeof value === 'number' ? Math.trunc(value) : value
    const digits = String(whole < 0 ? -whole : whole)
    return isCardNumber(digits) ? replace(digits) : value
  }

  /** Its whole part; whatever stands behind the point. */
  function cleanDecimal(value: Decimal): Json {
    const { digits, exponent } = value
    if (exponent > MOST_ZEROS) return value
    const whole = exponent < 0 ? digits.slice(0, exponent) : digits + '0'.repeat(exponent)
    return isCardNumber(whole) ? replace(whole) : value
  }

  function walkArray(array: Json[], depth: number, exempt: Exempt | undefined): Json[] {
    if (array.length > limits.items) throw tooMuch('too_large', `A list has more than ${limits.items} items`)
    let copy: Json[] | undefined
    for (let i = 0; i < array.length; i++) {
      const value = array[i] as Json
      const clean = walk(value, depth + 1, exempt)
      if (clean !== value && copy === undefined) copy = array.slice()
      if (copy !== undefined) copy[i] = clean
    }
    return copy ?? array
  }

  function walkObject(object: JsonObject, depth: number, exempt: Exempt | undefined): JsonObject {
    let copy: JsonObject | undefined
    let keys = 0
    for (const key in object) {
      if (++keys > limits.keys) throw tooMuch('too_large', `An object has more than ${limits.keys} keys`)
      const plan = keyPlanOf(key)
      const value = object[key] as Json
      const below = exempt === undefined || exempt.exempt ? exempt : exempt.below.get(key)
      const clean = plan === KEEP || !isDropped(plan, value) ? walk(value, depth + 1, below) : undefined
      if (copy === undefined) {
        if (clean === value && (plan === KEEP || plan.name === key)) continue
        copy = copyBefore(object, key)
      }
      if (clean !== undefined) put(copy, plan === KEEP ? key : plan.name, clean)
    }
    return copy ?? object
  }

  return walk
}

const tooMuch = (reason: DeadLetterReason, what: string) =>
  new Unstorable(
    reason,
    `${what}. Send less, or raise the limit where it can be: see MAX_DEPTH, MAX_KEYS and MAX_ITEMS.`,
  )

function copyBefore(object: JsonObject, end: string): JsonObject {
  const copy: JsonObject = {}
  for (const key in object) {
    if (key === end) break
    put(copy, key, object[key] as Json)
  }
  return copy
}

/** What becomes of a key, and under which name; `KEEP` for almost all. */
interface KeyPlan {
  sensitivity: Sensitivity
  name: string
}

/** Behind the digits of a card number: it has 19 at most. */
const MOST_ZEROS = 19

const KEEP: KeyPlan = { sensitivity: 'keep', name: '' }

const isDropped = ({ sensitivity }: KeyPlan, value: Json) =>
  sensitivity === 'drop' || (sensitivity === 'drop-month' && isMonthAndYear(value))

function createKeyPlans(cleanText: (text: string) => string): (key: string) => KeyPlan {
  return remember((key) => {
    if (key.includes('\0')) {
      throw new Unstorable('nul_in_key', 'A key holds a NUL, which MongoDB cannot store. Remove it from the key.')
    }
    const sensitivity = sensitivityOf(key)
    const name = cleanText(key)
    return sensitivity === 'keep' && name === key ? KEEP : { sensitivity, name }
  })
}
