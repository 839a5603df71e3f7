/**
 * Sends each line of its standard input to Kafka, as an event.
 *
 *     echo '{"event_id":"evt-1"}' | KAFKA_BROKERS=localhost:9092 node produce.ts
 */
import { createInterface } from 'node:readline'
import { Kafka, logLevel, Partitioners } from 'kafkajs'

const brokers = (process.env.KAFKA_BROKERS ?? 'localhost:9092').split(',')
const kafka = new Kafka({ clientId: 'producer', brokers, logLevel: logLevel.WARN })
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, idempotent: true })
await producer.connect()
for await (const value of createInterface({ input: process.stdin })) {
  const [sent] = await producer.send({ topic: process.env.EVENTS_TOPICS ?? 'parkmobile.events', messages: [{ value }] })
  console.log(`sent to partition ${sent?.partition}, offset ${sent?.baseOffset}`)
}
await producer.disconnect()
