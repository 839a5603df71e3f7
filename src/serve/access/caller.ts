/** What a caller may do. */
export const SCOPES = ['events:read', 'status:read', 'cards:read', 'metrics:read'] as const
export type Scope = (typeof SCOPES)[number]

export const isScope = (word: unknown): word is Scope => (SCOPES as readonly unknown[]).includes(word)

export interface Caller {
  /**
   * Names the caller where no metric does, such as in the rate limit and the log; never a secret. The id of an API key,
   * `jwt:` and the subject of a JWT, or `anonymous` where no credentials are configured.
   */
  readonly id: string
  readonly scopes: ReadonlySet<Scope>
  /** Null: all zones. */
  readonly zones: ReadonlySet<string> | null
  /** Epoch ms after which the credentials are no longer good; null: never. */
  readonly expiresAt: number | null
}

/**
 * Why a caller is not let in. `missing` and `invalid` are 401, `unavailable` (the JWKS cannot be had) is 503. `detail` is
 * fit to be shown and never quotes a credential.
 */
export interface Refused {
  readonly refused: 'missing' | 'invalid' | 'unavailable'
  readonly detail: string
}

export const invalid = (detail: string): Refused => ({ refused: 'invalid', detail })

/** Says whose a credential is, if it is any good. */
export type Check = (credential: string) => Promise<Caller | Refused>
