/**
 * `dead-letters replay`: sends records back to the topic and partition they came from, with their key, value and headers.
 *
 * Each portion of them is one transaction, which also commits how far the run has come, to a consumer group of its own. So the
 * same run, begun again after it was cut short, goes on where it was, and sends nothing twice. A run is known by what it
 * chooses: the same choice, `until` included, is the same run.
 */
import { createHash } from 'node:crypto'
import type { Admin, IHeaders, KafkaMessage, Producer } from 'kafkajs'
import { DEAD_LETTER_HEADERS } from '../../contract/dead-letter.ts'
import type { Settings } from '../../settings.ts'
import { readToEnd } from '../../stream/read-to-end.ts'
import { type PartitionMessage, sendAll } from '../../stream/send.ts'
import { print, tell } from '../command-line.ts'
import { type Connection, patiently, rangesOf } from '../connect.ts'
import { type Choice, isChosen, optionsOf } from './choose.ts'
import { type Letter, printable, toLetter } from './letter.ts'
import { createSeen } from './seen.ts'

export interface ReplayOptions {
  /** With `until`: what is written after the run has begun, perhaps because of it, is not of it. */
  readonly choice: Choice & { until: string }
  /** A record that has come back so often is not sent again. */
  readonly mostReplays: number
  readonly execute: boolean
  readonly json: boolean
}

/** Sends records back, or only tells which ones it would send. */
export async function replay(
  connection: Connection,
  settings: Settings,
  options: ReplayOptions,
  signal: AbortSignal,
): Promise<number> {
  const { deadLetters } = settings.topics
  await patiently(signal, () => rangesOf(connection.admin, deadLetters, 'DEAD_LETTER_TOPIC'))
  const counts = options.execute
    ? await execute(connection, settings, options, signal)
    : await patiently(signal, () => walk({ connection, settings, options, signal }))
  if (options.json) print(JSON.stringify(counts, null, 2))
  else printPretty(counts, options)
  return 0
}

/** Why a chosen letter stays where it is. */
type Obstacle =
  | 'its key or value was withheld'
  | 'it does not say where it came from'
  | 'its topic is not among EVENTS_TOPICS and RESPONSES_TOPICS'
  | 'its topic has no such partition'
  | 'it was replayed too often'
  | 'another one has the same source'

interface Counts {
  replayed: number
  /** Of them, those that an earlier part of the run has sent. */
  earlier: number
  bySource: Record<string, number>
  byReason: Record<string, number>
  kept: Partial<Record<Obstacle, number>>
}

interface Portion {
  partition: number
  /** Messages by topic. */
  replays: Map<string, PartitionMessage[]>
  /** The offset after the last letter that was looked at. */
  next: bigint
}

interface Walk {
  connection: Connection
  settings: Settings
  options: ReplayOptions
  signal: AbortSignal
  /** How far an earlier part of the run came, by partition. */
  done?: ReadonlyMap<number, bigint>
  /** In order, one at a time. */
  deliver?: (portion: Portion) => Promise<void>
}

/** Looks at all letters there are now, from the first: also those of an earlier part of the run, to know whom it has met. */
async function walk({ connection, settings, options, signal, done, deliver }: Walk): Promise<Counts> {
  const { topics } = settings
  const partitions = await partitionsOf(connection.admin, [...topics.events, ...topics.responses])
  const counts: Counts = { replayed: 0, earlier: 0, bySource: {}, byReason: {}, kept: {} }
  const isRepeated = createSeen()
  const obstacle = obstaclesOf(partitions, options.mostReplays)
  let last: Promise<void> = Promise.resolve()
  await readToEnd({
    ...{ kafka: connection.kafka, topic: topics.deadLetters, signal },
    onProgress: createProgress(),
    onMessages: async (partition, messages) => {
      const before = done?.get(partition) ?? 0n
      const portion: Portion = { partition, replays: new Map(), next: 0n }
      for (const message of messages) {
        const letter = toLetter(partition, message)
        if (!isChosen(letter, options.choice)) continue
        const why = obstacle(letter) ?? (isRepeated(letter) ? 'another one has the same source' : null)
        if (why !== null) {
          bump(counts.kept, why)
          continue
        }
        const topic = letter.source.topic as string
        counts.replayed++
        bump(counts.bySource, topic)
        bump(counts.byReason, letter.reason)
        if (BigInt(message.offset) < before) counts.earlier++
        else portion.replays.set(topic, [...(portion.replays.get(topic) ?? []), messageOf(letter, message)])
      }
      if (deliver === undefined || portion.replays.size === 0) return
      portion.next = BigInt((messages.at(-1) as KafkaMessage).offset) + 1n
      last = last.then(() => deliver(portion))
      await last
    },
  })
  return counts
}

function bump<K extends string>(counts: Partial<Record<K, number>>, name: K): void {
  counts[name] = (counts[name] ?? 0) + 1
}

async function partitionsOf(admin: Admin, names: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const there = new Set(await admin.listTopics())
  const { topics } = await admin.fetchTopicMetadata({ topics: names.filter((name) => there.has(name)) })
  return new Map([
    ...names.map((name) => [name, 0] as const),
    ...topics.map(({ name, partitions }) => [name, partitions.length] as const),
  ])
}

function obstaclesOf(partitions: ReadonlyMap<string, number>, mostReplays: number) {
  return ({ source, altered, replays }: Letter): Obstacle | null => {
    if (altered.value === 'withheld' || altered.key === 'withheld') return 'its key or value was withheld'
    if (source.topic === null || source.partition === null || source.offset === null)
      return 'it does not say where it came from'
    const count = partitions.get(source.topic)
    if (count === undefined) return 'its topic is not among EVENTS_TOPICS and RESPONSES_TOPICS'
    if (source.partition >= count) return 'its topic has no such partition'
    return replays >= mostReplays ? 'it was replayed too often' : null
  }
}

const OURS = new Set<string>(Object.values(DEAD_LETTER_HEADERS))

/** The record as it was, with when that was and how often it has come back. */
function messageOf({ source, replays }: Letter, { key, value, headers = {} }: KafkaMessage): PartitionMessage {
  const { timestamp } = DEAD_LETTER_HEADERS
  const marks: IHeaders = { [DEAD_LETTER_HEADERS.replays]: String(replays + 1) }
  if (headers[timestamp] !== undefined) marks[timestamp] = headers[timestamp]
  const original = Object.fromEntries(Object.entries(headers).filter(([name]) => !OURS.has(name)))
  return { partition: source.partition as number, key, value, headers: { ...original, ...marks } }
}

const PROGRESS_MS = 5_000

function createProgress(): (left: bigint) => void {
  let told = Date.now()
  return (left) => {
    if (Date.now() - told < PROGRESS_MS || left === 0n) return
    told = Date.now()
    tell(`${left} letters to look at`)
  }
}

async function execute(
  connection: Connection,
  settings: Settings,
  options: ReplayOptions,
  signal: AbortSignal,
): Promise<Counts> {
  const { kafka, admin } = connection
  const { deadLetters: topic } = settings.topics
  const group = `${settings.kafka.groupId}-replay-${runOf(topic, options.choice)}`
  const attempt = async () => {
    const producer = kafka.producer({ transactionalId: group, maxInFlightRequests: 1, allowAutoTopicCreation: false })
    await producer.connect()
    try {
      // What an earlier part of the run left open is aborted, or its commit completed, before its progress is read.
      await (await producer.transaction()).abort()
      const done = await committedOf(admin, group, topic)
      const deliver = (portion: Portion) => send(producer, group, topic, portion)
      return await walk({ connection, settings, options, signal, done, deliver })
    } finally {
      await producer.disconnect().catch(() => {})
    }
  }
  try {
    const counts = await patiently(signal, attempt)
    await deleteGroup(admin, group)
    return counts
  } catch (error) {
    tell(`Cut short. To go on where it was:\n  ${commandOf(options)}`)
    throw error
  }
}

/** It is done with; where there was nothing to send, it is not even there. */
async function deleteGroup(admin: Admin, group: string): Promise<void> {
  const { groups } = await admin.listGroups()
  if (groups.some(({ groupId }) => groupId === group)) await admin.deleteGroups([group])
}

/** A name for the run: whoever chooses the same goes on with it. */
function runOf(topic: string, choice: Choice): string {
  return createHash('sha256')
    .update(JSON.stringify([topic, choice]))
    .digest('hex')
    .slice(0, 12)
}

async function committedOf(admin: Admin, group: string, topic: string): Promise<ReadonlyMap<number, bigint>> {
  const [committed] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
  const started = (committed?.partitions ?? []).filter(({ offset }) => offset !== '-1')
  return new Map(started.map(({ partition, offset }) => [partition, BigInt(offset)]))
}

async function send(producer: Producer, group: string, topic: string, portion: Portion): Promise<void> {
  const transaction = await producer.transaction()
  try {
    for (const [source, messages] of portion.replays) await sendAll(transaction, source, messages)
    const partitions = [{ partition: portion.partition, offset: String(portion.next) }]
    await transaction.sendOffsets({ consumerGroupId: group, topics: [{ topic, partitions }] })
    await transaction.commit()
  } catch (error) {
    if (transaction.isActive()) await transaction.abort().catch(() => {})
    throw error
  }
}

const commandOf = ({ choice, mostReplays }: ReplayOptions) =>
  `pm-parking-events dead-letters replay ${optionsOf(choice)} --max-replays ${mostReplays} --execute`

const listed = (counts: Record<string, number>) =>
  Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${printable(name)} ${count}`)
    .join(', ')

function printPretty({ replayed, earlier, bySource, byReason, kept }: Counts, options: ReplayOptions): void {
  const records = `${replayed} record${replayed === 1 ? '' : 's'}`
  print(`${options.execute ? 'Replayed' : 'Would replay'} ${records}${replayed > 0 ? `: ${listed(byReason)}` : ''}`)
  if (replayed > 0) print(`  to ${listed(bySource)}`)
  if (earlier > 0) print(`  ${earlier} of them before this part of the run`)
  for (const [why, count] of Object.entries(kept)) print(`Not ${count}: ${why}`)
  if (!options.execute && replayed > 0) print(`\nNothing was sent. To send them:\n  ${commandOf(options)}`)
}
