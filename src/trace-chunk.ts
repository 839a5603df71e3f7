/** Which traces led to the records of a chunk, and the span of the chunk. Only called where traces are wanted. */
import type { Source, SourceRecord } from './contract/record.ts'
import { isSampled, TRACEPARENT, type Traceparent, traceparentOf } from './contract/trace-context.ts'
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
      const context = contextOf(record, cleanText)
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

/** A context whose digits could be a card number is no context: it would be sent on in the clear. */
function contextOf({ headers }: SourceRecord, cleanText: (text: string) => string): Traceparent | null {
  const context = traceparentOf(headers[TRACEPARENT])
  if (context === null || !MANY_DIGITS.test(context)) return context
  // Its letters are looked at as blanks: between them a number stands for itself.
  const digits = context.replace(/[a-f]/g, ' x ')
  return cleanText(digits) === digits ? context : null
}

/** As many as the shortest card has. */
const MANY_DIGITS = /\d(?:-?\d){12}/
