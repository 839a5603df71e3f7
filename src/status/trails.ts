import type { KafkaMessage } from 'kafkajs'
import type { Observation } from '../contract/observation.ts'
import type { Source } from '../contract/record.ts'
import { isSampled, TRACEPARENT, type Traceparent, traceparentOf } from '../contract/trace-context.ts'
import { eachContextOfRows } from '../stream/trace-messages.ts'

/** The traces that led to the observations of a chunk. */
export interface Trails {
  /** By the very object that names the source of an observation, which its update has too. */
  readonly contexts: ReadonlyMap<Source, Traceparent>
  /** Of who sent the packs, and of the records whose traces are recorded; each once. */
  links(): Traceparent[]
  note(message: KafkaMessage, observations: readonly Observation[]): void
}

export function newTrails(): Trails {
  const contexts = new Map<Source, Traceparent>()
  const senders = new Set<Traceparent>()
  return {
    contexts,
    links: () => [...new Set([...senders, ...contexts.values()])].filter(isSampled),
    note(message, observations) {
      const sender = traceparentOf(message.headers?.[TRACEPARENT])
      if (sender !== null) senders.add(sender)
      eachContextOfRows(message, (row, context) => {
        const source = observations[row]?.source
        if (source !== undefined) contexts.set(source, context)
      })
    },
  }
}
