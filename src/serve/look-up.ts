import type { Layer } from '../contract/api.ts'
import type { Look } from './cache/read-through.ts'
import type { Cursor } from './cursor.ts'

/** Asks for events: memory → MongoDB → primary. Each rejects with StoreFailure where a store fails and nothing is kept. */
export interface LookUp {
  /** At most one event. */
  event(id: string): Promise<Look>
  /** The events of a session, oldest first. */
  session(id: string): Promise<Look>
  /** The price object of a zone. */
  price(zone: string): Promise<Look>
  /** The events of a card, given as it may be stored, newest first. */
  card(cards: readonly string[], limit: number, before: Cursor | null): Promise<Look>
}

/** A store did not answer: nobody knows whether there is such a thing. */
export class StoreFailure extends Error {
  override readonly name = 'StoreFailure'

  constructor(layer: Exclude<Layer, 'memory'>, cause: unknown) {
    super(`The ${NAMES[layer]} does not answer`, { cause })
  }
}

const NAMES = { mongodb: 'document store', primary: 'primary store' }
