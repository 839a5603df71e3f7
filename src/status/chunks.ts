import type { KafkaMessage } from 'kafkajs'
import type { Observation } from '../contract/observation.ts'
import { unpack } from '../stream/packs.ts'

/** Packs of one batch that one transaction covers. */
export interface Chunk {
  observations: Observation[]
  unreadable: KafkaMessage[]
  messages: number
  lastOffset: string
  /** The newest Kafka timestamp of its messages, epoch ms. */
  seenAt: number
  isLast: boolean
}

/** Whole packs, together about `size` observations. */
export function* chunks(messages: KafkaMessage[], size: number): Generator<Chunk> {
  let chunk = empty()
  for (const [index, message] of messages.entries()) {
    const observations = unpack(message.value)
    if (observations === null) chunk.unreadable.push(message)
    else for (const observation of observations) chunk.observations.push(observation)
    chunk.messages++
    chunk.lastOffset = message.offset
    chunk.seenAt = Math.max(chunk.seenAt, Number(message.timestamp))
    chunk.isLast = index === messages.length - 1
    if (!chunk.isLast && chunk.observations.length < size) continue
    yield chunk
    chunk = empty()
  }
}

function empty(): Chunk {
  return { observations: [], unreadable: [], messages: 0, lastOffset: '', seenAt: 0, isLast: false }
}
