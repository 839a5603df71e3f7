interface KafkaError {
  name?: string
  message: string
  /** Kafka's name of a protocol error. */
  type?: string
  code?: number
}

/** An error and what caused it, outermost first: kafkajs wraps what a broker said, alone or as one of several. */
export function* causesOf(error: unknown): Generator<KafkaError> {
  type Wrapped = KafkaError & { cause?: unknown; errors?: unknown[] }
  for (let e = error as Wrapped | undefined; e; e = (e.cause ?? e.errors?.[0]) as typeof e) yield e
}

/** Whether a broker said one of these. */
export function saysKafka(error: unknown, ...types: string[]): boolean {
  for (const { type } of causesOf(error)) if (type !== undefined && types.includes(type)) return true
  return false
}

const HOPELESS = [
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'UNSUPPORTED_VERSION',
  'INVALID_TOPIC_EXCEPTION',
]

/** kafkajs gives no other sign of it, and the same error for a connection that broke while it logged in. */
const REFUSED = /: Authentication failed|credentials|username|mechanism is not supported/

/** Whether waiting cannot help: something is not allowed, or not known to these brokers at all. */
export function isHopeless(error: unknown): boolean {
  return saysKafka(error, ...HOPELESS) || isRefused(error)
}

/** Whether Kafka does not know us by the name and password that we gave, or not in the way that we gave them. */
export function isRefused(error: unknown): boolean {
  if (saysKafka(error, 'SASL_AUTHENTICATION_FAILED', 'UNSUPPORTED_SASL_MECHANISM')) return true
  for (const { name, message } of causesOf(error)) {
    if (name === 'KafkaJSSASLAuthenticationError' && REFUSED.test(message)) return true
  }
  return false
}
