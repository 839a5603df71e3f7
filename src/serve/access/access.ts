/** Who may read: by API key, by JWT, or everybody where neither is configured. Knows header values, no HTTP server. */
import type { Logger } from 'pino'
import type { Settings } from '../../settings.ts'
import { createApiKeys } from './api-keys.ts'
import { type Caller, type Check, invalid, type Refused, SCOPES } from './caller.ts'
import { createJwts } from './jwt.ts'

// What the server needs of this room, from one file.
export { type Caller, type Refused, SCOPES, type Scope } from './caller.ts'

export interface CredentialHeaders {
  authorization?: string | undefined
  'x-api-key'?: string | undefined
}

export interface Access {
  /**
   * False: nobody configured credentials; everybody is `anonymous` with all scopes (the server then listens on loopback
   * only).
   */
  readonly required: boolean
  /** Never throws. To be asked again for each request, and by what outlives one: keys are withdrawn, and expire. */
  authenticate(headers: CredentialHeaders): Promise<Caller | Refused>
}

const LONGEST_HEADER = 8_192
const ANONYMOUS: Caller = { id: 'anonymous', scopes: new Set(SCOPES), zones: null, expiresAt: null }
const API_KEY = /^pmk_/

/** The one credential of a request. */
function credentialOf(headers: CredentialHeaders): { apiKey: string } | { jwt: string } | Refused {
  const { authorization, 'x-api-key': apiKey } = headers
  if (authorization === undefined && apiKey === undefined) {
    return {
      refused: 'missing',
      detail: 'Send an API key or a JWT as "Authorization: Bearer …", or a key as "X-Api-Key: …".',
    }
  }
  if (authorization !== undefined && apiKey !== undefined) {
    return invalid('Send either "Authorization" or "X-Api-Key", not both.')
  }
  if ((authorization ?? apiKey ?? '').length > LONGEST_HEADER) {
    return invalid(`Credentials may have ${LONGEST_HEADER} bytes at most.`)
  }
  if (apiKey !== undefined) return { apiKey }
  const [, bearer] = /^bearer +([\w.~+/=-]+)$/i.exec(authorization ?? '') ?? []
  if (bearer === undefined) return invalid('"Authorization" must be "Bearer" and one API key or JWT.')
  return API_KEY.test(bearer) ? { apiKey: bearer } : { jwt: bearer }
}

const notTaken =
  (what: string): Check =>
  async () =>
    invalid(`${what} are not taken here.`)

/** @throws SettingsError for a bad keys file, with all its problems at once */
export async function createAccess(
  { keysFile, jwt }: Settings['access'],
  log: Logger,
  now: () => number = Date.now,
): Promise<Access> {
  if (keysFile === null && jwt === null) return { required: false, authenticate: async () => ANONYMOUS }
  const checkKey = keysFile === null ? notTaken('API keys') : await createApiKeys(keysFile, log, now)
  const checkJwt = jwt === null ? notTaken('JWTs') : createJwts(jwt, log, now)
  return {
    required: true,
    async authenticate(headers) {
      const credential = credentialOf(headers)
      if ('refused' in credential) return credential
      return 'apiKey' in credential ? checkKey(credential.apiKey) : checkJwt(credential.jwt)
    },
  }
}
