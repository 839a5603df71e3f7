interface KafkaError {
  name?: string
  message: string
  /** Kafka's name of a protocol error. */
  type?: string
  code?: number
}

/** An error and what caused it, outermost first: kafkajs wraps what a broker said. */
export function* causesOf(error: unknown): Generator<KafkaError> {
  for (let e = error as (KafkaError & { cause?: unknown }) | undefined; e; e = e.cause as typeof e) yield e
}

/** Whether a broker said one of these. */
export function saysKafka(error: unknown, ...types: string[]): boolean {
  for (const { type } of causesOf(error)) if (type !== undefined && types.includes(type)) return true
  return false
}
