/** TLS that did not come about for a reason that only a person mends, in plain words. */

interface Failure {
  code?: unknown
  message?: unknown
  cause?: unknown
}

const UNSIGNED = 'has a certificate that none of the authorities trusted here has signed'

/** What Node says of the other side's certificate. */
const OF_THEIRS: ReadonlyMap<unknown, string> = new Map([
  ['CERT_HAS_EXPIRED', 'has a certificate that has expired: renew it'],
  ['CERT_NOT_YET_VALID', 'has a certificate that is not valid yet: look at the clocks'],
  ['CERT_REVOKED', 'has a certificate that was revoked'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'has a certificate for other hosts than the one that was asked for'],
  ['SELF_SIGNED_CERT_IN_CHAIN', UNSIGNED],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', UNSIGNED],
  ['UNABLE_TO_GET_ISSUER_CERT', UNSIGNED],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', UNSIGNED],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', UNSIGNED],
])

/** What the other side said of ours, by RFC 8446, 6.2; OpenSSL puts its alert into the message. */
const OF_OURS = /alert (bad certificate|certificate expired|certificate required|certificate unknown|unknown ca)/
const OTHER_KEY = /key values mismatch/

/** What is wrong, as in "the broker …"; null: it is nothing of this kind. */
export function mistrust(error: unknown): string | null {
  for (let at = error as Failure | undefined; at; at = at.cause as Failure | undefined) {
    const theirs = OF_THEIRS.get(at.code)
    const message = String(at.message)
    if (theirs !== undefined) return `${theirs} (${at.code})`
    const [, alert] = OF_OURS.exec(message) ?? []
    if (alert !== undefined) return `takes only clients with a certificate it trusts, and ours is none (${alert})`
    if (OTHER_KEY.test(message)) return 'cannot be shown our certificate: the key that is set belongs to another'
  }
  return null
}
