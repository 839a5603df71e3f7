/**
 * The keys that an issuer signs JWTs with, from its JWKS. Fetched at start, so that a wrong address is told there;
 * fetched again behind the requests, so that none of them waits and a short outage of the issuer is not noticed; and at
 * once for a key nobody has seen, though not for every such request.
 */
import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose'
import type { Logger } from 'pino'

/** The JWKS cannot be had, so that nothing can be said of a JWT. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable'
}

const TIMEOUT_MS = 3_000
const REFRESH_MS = 10 * 60_000
/** With an issuer that does not answer, its keys of before are good for this long. */
const MOST_AGE_MS = 60 * 60_000
/** Who makes up key ids makes us ask the issuer no more often than this. */
const UNKNOWN_KEY_MS = 10_000
/** An issuer that does not answer is not asked for every request, and no request waits for it to be silent again. */
const PAUSE_MS = 5_000

/** The error of `fetch` says only that it failed; its cause says why. */
function reasonOf({ message, cause }: Error): string {
  const { message: why, code } = (cause ?? {}) as NodeJS.ErrnoException
  return why || code ? `${message}: ${why || code}` : message
}

/** The JWKS is there, and has no key for this JWT. */
const isAboutTheToken = (error: unknown): boolean =>
  error instanceof errors.JWKSNoMatchingKey ||
  error instanceof errors.JWKSMultipleMatchingKeys ||
  error instanceof errors.JOSENotSupported

/**
 * Finds the key for the header of a JWT.
 * @throws KeysUnavailable, or an error of jose for a JWT that none of the issuer's keys fits
 */
export function createIssuerKeys(url: string, log: Logger, now: () => number = Date.now): JWTVerifyGetKey {
  let pausedUntil = 0
  let refreshAt = 0
  const remote = createRemoteJWKSet(new URL(url), {
    timeoutDuration: TIMEOUT_MS,
    cooldownDuration: UNKNOWN_KEY_MS,
    cacheMaxAge: MOST_AGE_MS,
    [customFetch]: (address, init) =>
      now() < pausedUntil ? Promise.reject(new Error('it failed a moment ago')) : fetch(address, init),
  })
  const onFailure = (error: unknown) => {
    if (now() < pausedUntil) return
    pausedUntil = now() + PAUSE_MS
    refreshAt = pausedUntil
    log.warn({ url, reason: reasonOf(error as Error) }, 'cannot get the keys that JWTs are checked with')
  }
  const refresh = () => {
    if (now() < refreshAt) return
    refreshAt = now() + REFRESH_MS
    remote.reload().catch(onFailure)
  }
  refresh()
  return async (header, token) => {
    refresh()
    try {
      return await remote(header, token)
    } catch (error) {
      if (isAboutTheToken(error)) throw error
      onFailure(error)
      throw new KeysUnavailable('the JWKS cannot be had', { cause: error })
    }
  }
}
