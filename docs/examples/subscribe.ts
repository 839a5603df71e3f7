/**
 * A service that follows parking statuses: it prints each change, and what is delivered again only once.
 *
 *     KAFKA_BROKERS=localhost:9092 node subscribe.ts
 */
import { Kafka, logLevel } from 'kafkajs'
import { CHANGED_TYPE, type StatusUpdate } from 'pm-parking-events/contract'

const brokers = (process.env.KAFKA_BROKERS ?? 'localhost:9092').split(',')
const kafka = new Kafka({ clientId: 'subscriber', brokers, logLevel: logLevel.WARN })
const consumer = kafka.consumer({ groupId: process.env.GROUP_ID ?? 'subscriber' }) // reads committed records only
await consumer.connect()
await consumer.subscribe({ topics: [process.env.STATUS_TOPIC ?? 'parkmobile.status-updates'], fromBeginning: true })

/** The last revision that was dealt with, by key. A service keeps it where it keeps its results, in one transaction with them. */
const revisions = new Map<string, number>()

await consumer.run({
  eachMessage: async ({ message: { key, value, headers } }) => {
    const session = String(key)
    if (value === null) return void revisions.delete(session) // the session is long over
    if (String(headers?.ce_type) !== CHANGED_TYPE) return // told by the header, without a look into the value
    const update = JSON.parse(value.toString()) as StatusUpdate
    if (update.revision <= (revisions.get(session) ?? 0)) return // delivered again
    revisions.set(session, update.revision)
    console.log(`${session} ${update.kind}: ${update.previous_status ?? 'new'} -> ${update.status}`)
  },
})

process.once('SIGTERM', () => consumer.disconnect())
