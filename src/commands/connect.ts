import type { Admin, Kafka } from 'kafkajs'
import type { Logger } from 'pino'
import { createLog, toStderr } from '../operate/log.ts'
import { waitOut } from '../operate/wait-out.ts'
import type { Settings } from '../settings.ts'
import { createKafka } from '../stream/client.ts'
import { CommandError, tell } from './command-line.ts'
import { explain, isDenied } from './explain.ts'

export interface Connection extends AsyncDisposable {
  readonly kafka: Kafka
  readonly admin: Admin
  readonly log: Logger
}

/**
 * Kafka for a command that reads. A broker that is away is waited for, and told of in plain words on standard error; so
 * kafkajs's own warnings are for those who set LOG_LEVEL. One that does not let us in is not waited for.
 */
export async function connect(settings: Settings, signal: AbortSignal): Promise<Connection> {
  const log = createLog(settings.logLevel === 'info' ? 'error' : settings.logLevel, toStderr())
  const kafka = createKafka(settings.kafka, log)
  const admin = createKafka(settings.kafka, log, 0).admin()
  const brokers = settings.kafka.brokers.join(', ')
  await waitOut(() => admin.connect(), {
    signal,
    giveUp: isDenied,
    onFailure: (error, failedForMs, attempt) => {
      const seconds = Math.round(failedForMs / 1000)
      if (attempt === 1 || attempt % 10 === 0)
        tell(`Waiting for Kafka at ${brokers} since ${seconds} s: ${explain('kafka', error)}`)
    },
    onRecovery: () => tell('Kafka is there'),
  })
  await admin.disconnect()
  const patient = kafka.admin()
  await patiently(signal, () => patient.connect())
  return { kafka, admin: patient, log, [Symbol.asyncDispose]: () => patient.disconnect() }
}

export interface PartitionRange {
  readonly partition: number
  /** First offset that the partition still has. */
  readonly low: bigint
  /** Offset that the next record will get. */
  readonly high: bigint
}

/**
 * The partitions of a topic with their offsets.
 * @throws CommandError when there is no such topic; `setting` is the variable that names it.
 */
export async function rangesOf(admin: Admin, topic: string, setting: string): Promise<PartitionRange[]> {
  if (!(await admin.listTopics()).includes(topic)) {
    throw new CommandError(
      `There is no topic ${topic}: start "process", which makes it, or check ${setting}, and that our user may read it`,
    )
  }
  const offsets = await admin.fetchTopicOffsets(topic)
  return offsets
    .map(({ partition, low, high }) => ({ partition, low: BigInt(low), high: BigInt(high) }))
    .sort((a, b) => a.partition - b.partition)
}

/** What passes by itself: a coordinator that is loading, a leader that moves, a broker that is away. */
export function passes(error: unknown): boolean {
  const { name, retriable, cause } = error as { name?: string; retriable?: boolean; cause?: unknown }
  if (retriable === true || name === 'KafkaJSNumberOfRetriesExceeded') return true
  return cause instanceof Error && passes(cause)
}

/** Does `work` again, from its start, until it is not stopped by something that passes. */
export function patiently<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  return waitOut(work, {
    signal,
    giveUp: (error) => !passes(error) || isDenied(error),
    onFailure: (error, _, attempt) => {
      if (attempt % 5 === 0) tell(`Kafka is not ready, trying again: ${error.message}`)
    },
  })
}
