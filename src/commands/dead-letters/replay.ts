/**
 * `dead-letters replay`: sends records back to the topic and partition they came from, with their key, value and headers.
 *
 * Each portion of them is one transaction, which also commits how far the run has come, to a consumer group of its own. So the
 * same run, begun again after it was cut short or had ended, goes on where it was, and sends nothing twice. A run is known by what it
 * chooses: the same choice, `until` included, is the same run, for as long as Kafka keeps the offsets of a group (7 days by default).
 *
 * A record that comes back has its first source in a header: of all its letters only the newest is sent, and it alone is counted.
 */
import { createHash } from 'node:crypto'
import type { Admin, IHeaders, KafkaMessage } from 'kafkajs'
import { DEAD_LETTER_HEADERS, isDeadLetterHeader } from '../../contract/dead-letter.ts'
import type { Settings } from '../../settings.ts'
import { readToEnd } from '../../stream/read-to-end.ts'
import type { PartitionMessage } from '../../stream/send.ts'
import { print, tell } from '../command-line.ts'
import { type Connection, patiently, rangesOf } from '../connect.ts'
import { type Choice, isChosen, optionsOf } from './choose.ts'
import { commit, committedOf, type Replay, sendAllOrEach } from './deliver.ts'
import { type Letter, listed, toLetter } from './letter.ts'
import { byCount } from './newest.ts'
import { newestReplays, type Obstacle, obstaclesOf } from './obstacles.ts'
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
    : await patiently(signal, async () => {
        const { ends: _, ...counts } = await walk({ connection, settings, options, signal })
        return counts
      })
  if (options.json) print(JSON.stringify(counts, null, 2))
  else printPretty(counts, options)
  return 0
}

interface Counts {
  replayed: number
  /** Of them, those that an earlier part of the run has sent. */
  earlier: number
  bySource: Record<string, number>
  byReason: Record<string, number>
  kept: Partial<Record<Obstacle, number>>
}

interface Walk {
  connection: Connection
  settings: Settings
  options: ReplayOptions
  signal: AbortSignal
  /** How far an earlier part of the run came, by partition. */
  done?: ReadonlyMap<number, bigint>
  /** In order, one at a time; gives those that their topic refuses. */
  deliver?: (partition: number, replays: Replay[]) => Promise<Replay[]>
}

/**
 * Looks at all letters there are now, twice: to know which have come back, and to send. From the first letter on, also those of an
 * earlier part of the run, to know whom it has met.
 */
async function walk(walk: Walk): Promise<Counts & { ends: ReadonlyMap<number, bigint> }> {
  const { connection, settings, options, signal, done, deliver } = walk
  const { topics } = settings
  const reading = { kafka: connection.kafka, topic: topics.deadLetters, signal, onProgress: createProgress() }
  const partitions = await partitionsOf(connection.admin, [...topics.events, ...topics.responses])
  const newest = await newestReplays(reading, options.choice.until)
  const counts: Counts = { replayed: 0, earlier: 0, bySource: {}, byReason: {}, kept: {} }
  const isRepeated = createSeen()
  const obstacle = obstaclesOf(partitions, newest, options.mostReplays)
  const count = (letter: Letter, by: 1 | -1) => {
    counts.replayed += by
    bump(counts.bySource, letter.source.topic as string, by)
    bump(counts.byReason, letter.reason, by)
  }
  let last: Promise<void> = Promise.resolve()
  const ends = await readToEnd({
    ...reading,
    onMessages: async (partition, messages) => {
      const before = done?.get(partition) ?? 0n
      const replays: Replay[] = []
      const letters = new Map<Replay, Letter>()
      for (const message of messages) {
        const letter = toLetter(partition, message)
        if (!isChosen(letter, options.choice)) continue
        const next = BigInt(message.offset) + 1n
        const isDone = next <= before
        const why = obstacle(letter, isDone) ?? (isRepeated(letter) ? 'another one has the same source' : null)
        if (why !== null) {
          bump(counts.kept, why)
          continue
        }
        count(letter, 1)
        if (isDone) counts.earlier++
        else {
          const replay = { topic: letter.source.topic as string, message: messageOf(letter, message), next }
          replays.push(replay)
          letters.set(replay, letter)
        }
      }
      if (deliver === undefined || replays.length === 0) return
      last = last.then(async () => {
        for (const refused of await deliver(partition, replays)) {
          count(letters.get(refused) as Letter, -1)
          bump(counts.kept, 'its topic refuses it')
        }
      })
      await last
    },
  })
  return { ...counts, ends }
}

function bump<K extends string>(counts: Partial<Record<K, number>>, name: K, by = 1): void {
  counts[name] = (counts[name] ?? 0) + by
  if (counts[name] === 0) delete counts[name]
}

async function partitionsOf(admin: Admin, names: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const there = new Set(await admin.listTopics())
  const { topics } = await admin.fetchTopicMetadata({ topics: names.filter((name) => there.has(name)) })
  return new Map([
    ...names.map((name) => [name, 0] as const),
    ...topics.map(({ name, partitions }) => [name, partitions.length] as const),
  ])
}

/** The record as it was, with when and where that was first, and how often it has come back. */
function messageOf({ source, replays, origin }: Letter, { key, value, headers = {} }: KafkaMessage): PartitionMessage {
  const { timestamp } = DEAD_LETTER_HEADERS
  const marks: IHeaders = { [DEAD_LETTER_HEADERS.replays]: String(replays + 1), [DEAD_LETTER_HEADERS.origin]: origin }
  if (headers[timestamp] !== undefined) marks[timestamp] = headers[timestamp]
  const original = Object.fromEntries(Object.entries(headers).filter(([name]) => !isDeadLetterHeader(name)))
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
    const producer = kafka.producer({
      ...{ transactionalId: group, maxInFlightRequests: 1, allowAutoTopicCreation: false },
      // A transaction that begins while the markers of the last are still being written is refused, for milliseconds.
      retry: { initialRetryTime: 20, maxRetryTime: 2_000, retries: 12 },
    })
    await producer.connect()
    try {
      // What an earlier part of the run left open is aborted, or its commit completed, before its progress is read.
      await (await producer.transaction()).abort()
      const done = await committedOf(admin, group, topic)
      const deliver = (partition: number, replays: Replay[]) =>
        sendAllOrEach(producer, group, topic, partition, replays)
      const { ends, ...counts } = await walk({ connection, settings, options, signal, done, deliver })
      await commit(producer, group, topic, [], ends)
      return counts
    } finally {
      await producer.disconnect().catch(() => {})
    }
  }
  try {
    return await patiently(signal, attempt)
  } catch (error) {
    tell(`Cut short. To go on where it was:\n  ${commandOf(options)}`)
    throw error
  }
}

/** A name for the run: whoever chooses the same goes on with it. */
function runOf(topic: string, choice: Choice): string {
  return createHash('sha256')
    .update(JSON.stringify([topic, choice]))
    .digest('hex')
    .slice(0, 12)
}

const commandOf = ({ choice, mostReplays }: ReplayOptions) =>
  `pm-parking-events dead-letters replay ${optionsOf(choice)} --max-replays ${mostReplays} --execute`

const mostFirst = (counts: Record<string, number>) => Object.fromEntries(Object.entries(counts).sort(byCount))

function printPretty({ replayed, earlier, bySource, byReason, kept }: Counts, options: ReplayOptions): void {
  const records = `${replayed} record${replayed === 1 ? '' : 's'}`
  print(
    `${options.execute ? 'Replayed' : 'Would replay'} ${records}${replayed > 0 ? `: ${listed(mostFirst(byReason))}` : ''}`,
  )
  if (replayed > 0) print(`  to ${listed(mostFirst(bySource))}`)
  if (earlier > 0) print(`  ${earlier} of them before this part of the run`)
  for (const [why, count] of Object.entries(kept)) print(`Not ${count}: ${why}`)
  if (!options.execute && replayed > 0) print(`\nNothing was sent. To send them:\n  ${commandOf(options)}`)
}
