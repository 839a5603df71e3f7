import type { Admin, Kafka } from 'kafkajs'
import { kafkajs } from '../src/stream/kafkajs.ts'

/** A client that logs nothing, for who looks at Kafka from outside. `brokers` as KAFKA_BROKERS has them. */
export const quietKafka = (brokers: string, clientId: string): Kafka =>
  new kafkajs.Kafka({ brokers: brokers.split(','), clientId, logLevel: kafkajs.logLevel.NOTHING })

/** Looks at a cluster, or changes it, as an operator would; `retries` of a request, as kafkajs has them when left out. */
export async function withAdmin<T>(brokers: string, use: (admin: Admin) => Promise<T>, retries?: number): Promise<T> {
  const admin = quietKafka(brokers, 'operator').admin(retries === undefined ? {} : { retry: { retries } })
  try {
    await admin.connect()
    return await use(admin)
  } finally {
    await admin.disconnect()
  }
}
