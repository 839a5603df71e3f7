/**
 * W3C trace context (https://www.w3.org/TR/trace-context-2/), as it stands in the headers of Kafka records and HTTP requests:
 * `00-<trace id>-<span id>-<flags>`. It comes from outside, so nothing but what fits the grammar is taken.
 */

/** A context in version 00 of the grammar: 55 characters. */
export type Traceparent = string & { readonly __brand: 'traceparent' }

/** The name of the header. */
export const TRACEPARENT = 'traceparent'

const LENGTH = 55
const GRAMMAR = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/
/** Later versions may say more behind another hyphen. */
const LATER =
  /^(?!00|ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-[\x21-\x7e]{0,400})?$/
/** What version 00 has: sampled, and that the trace id is random. */
const FLAGS = 0b11

/** What a header says, in version 00; null where it says nothing, says it twice, or does not fit the grammar. */
export function traceparentOf(header: unknown): Traceparent | null {
  if (header === undefined || header === null || Array.isArray(header)) return null
  const text = Buffer.isBuffer(header) ? header.toString('latin1') : String(header)
  if (text.length === LENGTH && GRAMMAR.test(text)) return text as Traceparent
  const [, traceId, spanId, flags = ''] = LATER.exec(text) ?? []
  if (traceId === undefined || spanId === undefined) return null
  return traceparent(traceId, spanId, Number.parseInt(flags, 16) & FLAGS)
}

export function traceparent(traceId: string, spanId: string, flags: number): Traceparent {
  return `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}` as Traceparent
}

/** Whether who began the trace records it. */
export const isSampled = (context: Traceparent): boolean => '13579bdf'.includes(context[LENGTH - 1] as string)

export const traceIdOf = (context: Traceparent): string => context.slice(3, 35)
export const spanIdOf = (context: Traceparent): string => context.slice(36, 52)
export const flagsOf = (context: Traceparent): number => Number.parseInt(context.slice(53, 55), 16)

/** The context of a header; one whose digits could be a card number is none: it would be sent on in the clear. */
export function contextOf(header: unknown, cleanText: (text: string) => string): Traceparent | null {
  const context = traceparentOf(header)
  if (context === null || !MANY_DIGITS.test(context)) return context
  // Its letters are looked at as blanks: between them a number stands for itself.
  const digits = context.replace(/[a-f]/g, ' x ')
  return cleanText(digits) === digits ? context : null
}

/** As many as the shortest card has. */
const MANY_DIGITS = /\d(?:-?\d){12}/
