/**
 * What Kafka does not let us do, told so that a person can mend it. Kafka's own words name neither the right
 * that is missing nor, mostly, what it is missing for.
 */
import { mistrust } from '../operate/trust.ts'
import { causesOf, isRefused, saysKafka } from './errors.ts'

/** As `kafka-acls.sh` names them. */
export interface Right {
  operation: 'Read' | 'Write' | 'Create' | 'Describe' | 'DescribeConfigs'
  on: 'topic' | 'group' | 'transactional-id'
  names: readonly string[]
}

const SAID = {
  topic: 'TOPIC_AUTHORIZATION_FAILED',
  group: 'GROUP_AUTHORIZATION_FAILED',
  'transactional-id': 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
} as const

/** A right is missing; the message says which, and what gives it. */
export class NotAllowedError extends Error {
  override readonly name = 'NotAllowedError'

  constructor({ operation, on, names }: Right, cause: unknown) {
    const flags = names.map((name) => `--${on} ${name}`).join(' ')
    super(
      `Kafka does not let our user ${operation} ${on} ${names.join(', ')}. Give the right with: ` +
        `kafka-acls.sh --bootstrap-server … --add --allow-principal User:… --operation ${operation} ${flags}`,
      { cause },
    )
  }
}

/** The error, or where Kafka said that this right is missing one that names it. */
export function orNotAllowed(error: unknown, right: Right): unknown {
  if (isNotAllowed(error) || !saysKafka(error, SAID[right.on])) return error
  return new NotAllowedError(right, error)
}

/** Does what needs a right. @throws NotAllowedError where that is missing */
export async function needing<T>(right: Right, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw orNotAllowed(error, right)
  }
}

function isNotAllowed(error: unknown): boolean {
  for (const { name } of causesOf(error)) if (name === 'NotAllowedError') return true
  return false
}

/** And not of another connection, which may have the same trouble. */
function isOfKafka(error: unknown): boolean {
  for (const { name } of causesOf(error)) if (name?.startsWith('KafkaJS')) return true
  return false
}

/** Why Kafka does not let us in, or do something, with what to do about it; null: it may be an outage. */
export function denial(error: unknown): string | null {
  for (const { name, message } of causesOf(error)) if (name === 'NotAllowedError') return message
  if (saysKafka(error, ...Object.values(SAID), 'CLUSTER_AUTHORIZATION_FAILED')) {
    return `Kafka does not let our user do what it must: ${(error as Error).message}`
  }
  if (isRefused(error)) {
    return `Kafka refuses KAFKA_SASL_USERNAME, its password or KAFKA_SASL_MECHANISM: ${(error as Error).message}`
  }
  const why = isOfKafka(error) ? mistrust(error) : null
  if (why === null) return unusable(error)
  return `The broker ${why}: look at KAFKA_SSL_CA, KAFKA_SSL_CERT with KAFKA_SSL_KEY, and the names in KAFKA_BROKERS`
}

const UNUSABLE = /^Failed to connect: error:/

/** What we were given for TLS cannot even be read; OpenSSL says what of it. */
function unusable(error: unknown): string | null {
  for (const { message } of causesOf(error)) {
    if (UNUSABLE.test(message))
      return `KAFKA_SSL_CA, KAFKA_SSL_CERT or KAFKA_SSL_KEY cannot be used, a key only without a passphrase: ${message}`
  }
  return null
}

const CLOSED = /Closed connection|disconnected before secure TLS connection/

/** The error in the plainest words there are for it. */
export function explain(error: Error): string {
  const known = denial(error)
  if (known !== null) return known
  for (const { message } of causesOf(error)) {
    if (CLOSED.test(message)) return `${error.message} (if it stays so: is KAFKA_SSL right for this port?)`
  }
  return error.message
}
