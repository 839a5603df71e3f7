/** Which traces led to the records of a chunk, and the span of the chunk. Only called where traces are wanted. */
import type { Source } from './contract/record.ts'
import { contextOf, isSampled, TRACEPARENT, type Traceparent } from './contract/trace-context.ts'
import type { Tracing } from './operate/tracing.ts'
import type { Portion } from './stream/gather.ts'
import { ofMessages, ofTopic } from './stream/trace-messages.ts'

/** The context of each record that has one, by `placeOf`. */
export type Contexts = ReadonlyMap<string, Traceparent>

export const placeOf = ({ topic, partition, offset }: Source): string => `${topic}/${partition}/${offset}`

/** Does `work` on the records of `portions` as a span that is linked to the traces of these. */
export function traceChunk(
  { tracing, group, cleanText }: { tracing: Tracing; group: string; cleanText: (text: string) => string },
  portions: readonly Portion[],
  work: (contexts: Contexts) => Promise<void>,
): Promise<void> {
  const contexts = new Map<string, Traceparent>()
  const links: Traceparent[] = []
  for (const { records } of portions) {
    for (const record of records) {
      const context = contextOf(record.headers[TRACEPARENT], cleanText)
      if (context === null) continue
      contexts.set(placeOf(record), context)
      if (isSampled(context)) links.push(context)
    }
  }
  const turns = portions.map(({ turn }) => turn)
  const messages = portions.reduce((sum, { records }) => sum + records.length, 0)
  const span = ofTopic('process', 'consumer', turns, {
    'messaging.consumer.group.name': group,
    ...ofMessages(messages),
  })
  return tracing.begin(span, links, () => work(contexts))
}
