/** The `Cache-Status` of an answer (RFC 9211): whether it came from memory, and if not, why and whether it is kept now. */
import type { Look } from '../cache/read-through.ts'

const NAME = 'pm-parking-events'

export function cacheStatus({ outcome, layer, ttl, stored }: Look): string {
  switch (outcome) {
    case 'hit':
      return `${NAME}; hit; ttl=${ttl}`
    case 'negative':
      return `${NAME}; hit; ttl=${ttl}; detail=negative`
    case 'stale':
      return `${NAME}; hit; ttl=${ttl}; detail=stale`
    case 'coalesced':
      return `${NAME}; fwd=miss; collapsed${stored ? '; stored' : ''}; detail=${layer}`
    case 'miss':
      return `${NAME}; fwd=miss${stored ? '; stored' : ''}; detail=${layer}`
  }
}

/** Of a look-up that a store's failure ended. */
export const CACHE_STATUS_OF_ERROR = `${NAME}; fwd=miss; detail=error`
