/** JWTs of one issuer for one audience, signed with a key of the issuer's JWKS. */
import { errors, type JWTVerifyGetKey, jwtVerify } from 'jose'
import type { Logger } from 'pino'
import type { Settings } from '../../settings.ts'
import { type Check, invalid, type Refused } from './caller.ts'
import { CLOCK_TOLERANCE_S, callerOfClaims } from './claims.ts'
import { createIssuerKeys, KeysUnavailable } from './issuer-keys.ts'
import { createVerified } from './verified.ts'

/** Asymmetric ones only: with HS256 a public key would be the secret, and `none` needs no key at all. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
]

const REASONS: Record<string, string> = {
  [errors.JWTExpired.code]: 'The JWT has expired.',
  [errors.JOSEAlgNotAllowed.code]: 'The JWT is signed with an algorithm that is not allowed.',
  [errors.JWKSNoMatchingKey.code]: 'The JWT is signed with a key that its issuer does not publish.',
  [errors.JWKSMultipleMatchingKeys.code]: 'The JWT does not say by "kid" which of the keys of its issuer signed it.',
  [errors.JWSSignatureVerificationFailed.code]: 'The signature of the JWT is wrong.',
}

/** Claims are told by name, never by value. */
function refusalOf(error: unknown): Refused {
  if (error instanceof KeysUnavailable) {
    return { refused: 'unavailable', detail: 'The keys that JWTs are checked with cannot be had now; try again soon.' }
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return invalid(`The "${error.claim}" claim of the JWT is missing or wrong.`)
  }
  const reason = error instanceof errors.JOSEError ? REASONS[error.code] : undefined
  return invalid(reason ?? 'The JWT is malformed.')
}

/** `crit` asks that we understand more than we do, and `b64` changes what is signed: no JWT needs either. */
const withoutExtensions =
  (keys: JWTVerifyGetKey): JWTVerifyGetKey =>
  (header, token) => {
    if ('crit' in header || 'b64' in header) throw new errors.JWSInvalid('critical header parameters are not taken')
    return keys(header, token)
  }

export function createJwts(
  { issuer, audience, jwksUrl }: NonNullable<Settings['access']['jwt']>,
  log: Logger,
  now: () => number = Date.now,
): Check {
  const keys = withoutExtensions(createIssuerKeys(jwksUrl, log, now))
  const verified = createVerified(now)
  return async (token) => {
    const known = verified.find(token)
    if (known !== null) return known
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        requiredClaims: ['exp', 'sub'],
        clockTolerance: CLOCK_TOLERANCE_S,
        currentDate: new Date(now()),
      })
      const caller = callerOfClaims(payload)
      if (!('refused' in caller)) verified.add(token, caller)
      return caller
    } catch (error) {
      return refusalOf(error)
    }
  }
}
