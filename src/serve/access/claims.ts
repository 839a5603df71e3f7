/** What the claims of a JWT say of its caller, once its signature, issuer, audience and time were found right. */
import type { JWTPayload } from 'jose'
import { type Caller, invalid, isScope, type Refused } from './caller.ts'

/** How far the clocks of issuer and reader may differ. */
export const CLOCK_TOLERANCE_S = 30
/** As OpenID Connect has it; and a log line should hold it. */
const LONGEST_SUBJECT = 255
/** The latest time that a Date holds. */
const LATEST_S = 8.64e12 - CLOCK_TOLERANCE_S

const areTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string')

/** `scope` is of RFC 9068; `scp` is what others call it. Null: it has a form that nobody gave it. */
function wordsOf({ scope, scp }: JWTPayload): string[] | null {
  const value = scope ?? scp ?? []
  if (typeof value === 'string') return value.split(' ')
  return areTexts(value) && scope === undefined ? value : null
}

export function callerOfClaims(claims: JWTPayload): Caller | Refused {
  const { sub, exp, zones } = claims
  if (typeof sub !== 'string' || sub === '' || sub.length > LONGEST_SUBJECT) {
    return invalid(`The "sub" claim of the JWT is not a text of 1 to ${LONGEST_SUBJECT} characters.`)
  }
  if (exp === undefined || exp > LATEST_S) return invalid('The "exp" claim of the JWT is no time.')
  const words = wordsOf(claims)
  if (words === null) return invalid('The "scope" or "scp" claim of the JWT is not a list of scopes.')
  // Present but of another form must not become "all zones".
  if (zones !== undefined && !areTexts(zones)) return invalid('The "zones" claim of the JWT is not a list of texts.')
  return {
    id: `jwt:${sub}`,
    scopes: new Set(words.filter(isScope)),
    zones: zones === undefined ? null : new Set(zones),
    expiresAt: (exp + CLOCK_TOLERANCE_S) * 1_000,
  }
}
