import type { KafkaMessage } from 'kafkajs'
import type { Observation } from '../contract/observation.ts'
import { isOfLaterForm, sinceOf, unpack } from '../stream/packs.ts'
import { NewerPackError } from './newer-pack.ts'
import { newTrails, type Trails } from './trails.ts'

/** Packs of one batch that one transaction covers. */
export interface Chunk {
  /** Gives the observations away: the chunk keeps none. */
  take(): Observation[]
  /** How many there are to take. */
  observations: number
  unreadable: KafkaMessage[]
  messages: number
  lastOffset: string
  /** The newest Kafka timestamp of its messages, epoch ms. */
  seenAt: number
  /** Of each pack: since when its records are in Kafka (epoch ms), and how many observations it has. */
  waited: { since: number; observations: number }[]
  isLast: boolean
  /** Null where traces are not wanted. */
  trails: Trails | null
}

/**
 * Whole packs, together about `size` observations. Throws NewerPackError after what comes before such a pack.
 * @param isTraced whether traces are wanted.
 */
export function* chunks(messages: KafkaMessage[], size: number, isTraced: boolean): Generator<Chunk> {
  let chunk = empty(isTraced)
  let observations: Observation[] = []
  for (const [index, message] of messages.entries()) {
    const unpacked = unpack(message.value)
    if (unpacked === null && isOfLaterForm(message.value)) {
      if (chunk.messages > 0) yield { ...chunk, observations: observations.length, take: () => observations }
      throw new NewerPackError(
        `offset ${message.offset} is a pack of a later version: upgrade this program, the status stage before ingest`,
      )
    }
    if (unpacked === null) chunk.unreadable.push(message)
    else {
      for (const observation of unpacked) observations.push(observation)
      chunk.waited.push({ since: sinceOf(message), observations: unpacked.length })
      chunk.trails?.note(message, unpacked)
    }
    chunk.messages++
    chunk.lastOffset = message.offset
    chunk.seenAt = Math.max(chunk.seenAt, Number(message.timestamp))
    chunk.isLast = index === messages.length - 1
    if (!chunk.isLast && observations.length < size) continue
    const take = () => {
      const taken = observations
      observations = []
      return taken
    }
    yield { ...chunk, observations: observations.length, take }
    chunk = empty(isTraced)
    observations = []
  }
}

function empty(isTraced: boolean) {
  const lists = { unreadable: [] as KafkaMessage[], waited: [] as Chunk['waited'] }
  return { ...lists, messages: 0, lastOffset: '', seenAt: 0, isLast: false, trails: isTraced ? newTrails() : null }
}
