/** Spans of Kafka by OpenTelemetry's conventions for messaging, and how contexts travel with messages. */
import type { KafkaMessage, Message } from 'kafkajs'
import { TRACEPARENT, type Traceparent, traceparentOf } from '../contract/trace-context.ts'
import type { Attributes, SpanKind, SpanStart, Tracing } from '../operate/tracing.ts'
import type { PartitionMessage } from './send.ts'

/** How many there are, and of a single one nothing. */
export const ofMessages = (count: number): Attributes => (count === 1 ? {} : { 'messaging.batch.message_count': count })

/** Topic and partition are told where all places have the same. */
export function ofTopic(
  operation: 'process' | 'send',
  kind: SpanKind,
  places: readonly { topic: string; partition?: number }[],
  attributes: Attributes,
): SpanStart {
  const [first, ...others] = places
  const isOneTopic = others.every(({ topic }) => topic === first?.topic)
  const isOnePartition = isOneTopic && others.every(({ partition }) => partition === first?.partition)
  return {
    name: first !== undefined && isOneTopic ? `${operation} ${first.topic}` : operation,
    kind,
    attributes: {
      'messaging.system.name': 'kafka',
      'messaging.operation.type': operation,
      'messaging.operation.name': operation,
      ...(first !== undefined && isOneTopic && { 'messaging.destination.name': first.topic }),
      ...(first?.partition !== undefined &&
        isOnePartition && { 'messaging.destination.partition.id': String(first.partition) }),
      ...attributes,
    },
  }
}

/** Does `send`, of so many messages, as a part of what is under way. The messages do not tell of it. */
export function tracedSend<T>(
  tracing: Tracing | null,
  place: { topic: string; partition?: number },
  count: number,
  send: (own: Traceparent | null) => Promise<T>,
): Promise<T> {
  if (tracing === null || count === 0) return send(null)
  const start = ofTopic('send', 'producer', [place], ofMessages(count))
  return tracing.part(start, (span) => send(span?.traceparent ?? null))
}

/** Sets the context that `message` has in the place of any other. Its headers are its own. */
export function setContext(message: Message, context: Traceparent): void {
  if (message.headers === undefined) message.headers = { [TRACEPARENT]: context }
  else message.headers[TRACEPARENT] = context
}

/**
 * The header of a pack that has the contexts of its records, where they have any: `[[row, context], …]` as JSON, rows counted from
 * 0. It is a header since a processor that does not know it passes it over; one row more in the pack it would refuse.
 */
const OF_ROWS = 'traceparents'

/** `rows` in order. A pack has so few rows that this stays below a quarter of a megabyte. */
export function setContextsOfRows(
  message: PartitionMessage,
  rows: readonly (readonly [row: number, Traceparent])[],
): void {
  message.headers = { ...message.headers, [OF_ROWS]: Buffer.from(JSON.stringify(rows)) }
}

/** Tells each row that has a context. What is no list of ours is passed over. */
export function eachContextOfRows({ headers }: KafkaMessage, tell: (row: number, context: Traceparent) => void): void {
  const header = headers?.[OF_ROWS]
  if (header === undefined) return
  let rows: unknown
  try {
    rows = JSON.parse(String(header))
  } catch {
    return
  }
  if (!Array.isArray(rows)) return
  for (const entry of rows) {
    if (!Array.isArray(entry)) continue
    const [row, text] = entry
    const context = traceparentOf(text)
    if (context !== null && Number.isInteger(row)) tell(row, context)
  }
}
