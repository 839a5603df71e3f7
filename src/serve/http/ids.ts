import { assertNoCardIn, type CardReading } from './card-numbers.ts'
import { RequestProblem } from './problems.ts'

/** As records may have it. */
const LONGEST_ID_BYTES = 1024

/** @throws RequestProblem when an id from a URL is longer than any that there is, or holds a card number. */
export function assertId(id: string, cards: CardReading): void {
  if (Buffer.byteLength(id) > LONGEST_ID_BYTES) {
    throw new RequestProblem('bad-request', `An id has ${LONGEST_ID_BYTES} bytes at most`)
  }
  assertNoCardIn(id, cards)
}
