/** What other services may build on: `import { … } from 'pm-parking-events/contract'`. */
export { cardToken, cardTokens } from './card-token.ts'
export { DEAD_LETTER_HEADERS, DEAD_LETTER_REASONS, type DeadLetterReason } from './dead-letter.ts'
export type { CacheContent, CacheDocument, Kind, LastSuccess } from './document.ts'
export { CHANGED_TYPE, CONFIRMED_TYPE, type KindState, type StatusUpdate } from './status-update.ts'
