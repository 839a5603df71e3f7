import type { Family } from './family.ts'

/**
 * Errors of all APIs: `{ errors: [{ code: 1113, message }], code: 21, message }`, `errors: [{ field, message }]`, and both wrapped as
 * `{ "application/json": { … } }` (`bodies.ts` unwraps). The first error is nearer to the cause than the code of the whole.
 * Their status is the `http_status` of the record.
 */
export const error: Family = {
  errorCode: 'errors.code errors.errorcode error.code errorcode code',
}
