/**
 * Traces, where they are wanted. Off there is no `Tracing` at all: who could make spans holds null, and looks once a chunk or
 * a request. What a span says of itself is a closed list of attributes, and never what a record, a key or a document holds.
 */
import type { Traceparent } from '../contract/trace-context.ts'

export type Attributes = Record<string, string | number | boolean | undefined>

/** `consumer`: works on messages; `producer`: sends them; `client`: asks a store; `server`: answers a request. */
export type SpanKind = 'consumer' | 'producer' | 'client' | 'server'

export interface SpanStart {
  name: string
  kind: SpanKind
  attributes: Attributes
}

export interface OpenSpan {
  /** The context of who comes after; null where the span is not recorded. */
  readonly traceparent: Traceparent | null
  name(name: string): void
  set(attributes: Attributes): void
  /** Of an error nothing but its type is told: its message may quote a record. */
  fail(type: string): void
  end(): void
}

export interface Tracing extends AsyncDisposable {
  /** Does `work` as a new trace, with links to the contexts that led to it. What it throws is thrown. */
  begin<T>(span: SpanStart, links: readonly Traceparent[], work: (span: OpenSpan) => Promise<T>): Promise<T>
  /** Does `work` as a part of what is under way here; where nothing is, without a span. */
  part<T>(span: SpanStart, work: (span: OpenSpan | null) => Promise<T>): Promise<T>
  /** A part that others end; null where nothing is under way, or it is not recorded. */
  open(span: SpanStart): OpenSpan | null
  /** Goes on with the trace of whoever asked, or begins one. What `work` begins is a part of it. */
  serve(span: SpanStart, parent: Traceparent | null, work: (span: OpenSpan) => void): void
}

/** The name of an error's type, without anything that the error says. */
export function typeOf(error: unknown): string {
  const { name, code, codeName } = (error ?? {}) as Record<string, unknown>
  for (const word of [codeName, code, name]) if (typeof word === 'string' && WORD.test(word)) return word
  return 'error'
}

const WORD = /^[A-Za-z][A-Za-z0-9_.]{0,63}$/
