/**
 * The first walk, per chunk of records of one input partition or several:
 *
 *   decode → normalize → place (documents, observations, rejects) → documents → observations and dead letters → offsets
 *
 * A crash anywhere replays the chunk, and every effect is idempotent: documents merge, observations are judged again by
 * their lane, dead letters carry their source position. An outage of MongoDB, Kafka or the registry is waited out. A
 * document is readable before anybody can see the status update that it causes.
 */
import type { KafkaMessage, Producer } from 'kafkajs'
import { type Account, accountOf, OUTCOMES, settle } from './account-chunk.ts'
import type { Observation } from './contract/observation.ts'
import type { RecordType, Source, SourceRecord } from './contract/record.ts'
import type { Decoder } from './decode/decoder.ts'
import type { Sealer } from './documents/encryption.ts'
import { createNewIds, type NewIds } from './documents/new-ids.ts'
import type { DocumentStore } from './documents/store.ts'
import type { Cards } from './normalize/card-data.ts'
import { normalize, tombstoneId } from './normalize/normalize.ts'
import type { Clock } from './normalize/time-zone.ts'
import { type Metrics, timed } from './operate/metrics.ts'
import type { Dependency, Outages } from './operate/outages.ts'
import type { Tracing } from './operate/tracing.ts'
import { type Placed, placeChunk, type Rejected, type Taken } from './place-chunk.ts'
import type { Settings } from './settings.ts'
import { deadLetter, sendDeadLetters } from './stream/dead-letters.ts'
import { createGathering, type Portion, timestampsOf } from './stream/gather.ts'
import { pack } from './stream/packs.ts'
import { type PartitionMessage, sendAll } from './stream/send.ts'
import { setContext, tracedSend } from './stream/trace-messages.ts'
import { sourceRecord, type Turn } from './stream/turns.ts'
import { type Contexts, placeOf, traceChunk } from './trace-chunk.ts'
import { type Existing, type Written, writeDocuments, writePrices } from './write-chunk.ts'

export interface IngestParts {
  settings: Settings
  decoder: Decoder
  cards: Cards
  /** Of times for which nobody names a zone. */
  zone: Clock | null
  /** Encrypts what is to be stored so. */
  seal: Sealer
  store: DocumentStore
  /** Of price objects. */
  prices: DocumentStore
  producer: Producer
  metrics: Metrics
  outages: Outages
  tracing: Tracing | null
  /** Partitions of the observations topic, and of the dead-letter topic. */
  lanes: number
  deadLetterPartitions: number
}

/** Chunks at work at once: enough that one computes while others wait, and no more records in memory. */
const MOST_CHUNKS = 2

/** The handler of one batch of an input partition. */
export function createIngest(parts: IngestParts) {
  const { settings, metrics, tracing, cards } = parts
  const traced = tracing && { tracing, group: `${settings.kafka.groupId}-ingest`, cleanText: cards.cleanText }
  const events = new Set(settings.topics.events)
  const newIds = createNewIds()
  const typeOf = (topic: string): RecordType => (events.has(topic) ? 'event' : 'response')
  const ingest = createGathering(settings.chunkRecords, MOST_CHUNKS, (portions) => {
    const work = (contexts: Contexts | null) => ingestChunk(parts, typeOf, portions, newIds, contexts)
    return traced === null ? work(null) : traceChunk(traced, portions, work)
  })
  return async (messages: KafkaMessage[], lastOffset: string, turn: Turn): Promise<void> => {
    const { topic, partition } = turn
    for (let from = 0; from < messages.length && !turn.signal.aborted; from += settings.chunkRecords) {
      const records = messages.slice(from, from + settings.chunkRecords).map((message) => sourceRecord(turn, message))
      const since = Number(messages[from]?.timestamp)
      await ingest({ turn, records, since })
      metrics.documentAge.observe(since, records.length)
      const isLast = from + records.length === messages.length
      metrics.recordsConsumed.inc({ stage: 'ingest', topic, partition }, records.length)
      turn.done(isLast ? lastOffset : (records.at(-1) as SourceRecord).offset)
      metrics.lastProgress.setToCurrentTime({ stage: 'ingest' })
    }
  }
}

async function ingestChunk(
  parts: IngestParts,
  typeOf: (topic: string) => RecordType,
  portions: Portion[],
  newIds: NewIds,
  contexts: Contexts | null,
): Promise<void> {
  const { decoder, store, metrics, outages, settings } = parts
  const [first] = portions
  if (first === undefined) return
  // All partitions are given up together, so any signal is that of all.
  const { signal } = first.turn
  const step = <T>(name: string, dependency: Dependency, work: () => Promise<T>) =>
    outages.waitOut(dependency, signal, () => timed(metrics, 'ingest', name, work))

  const records = portions.flatMap((portion) => portion.records)
  if (settings.registry) await step('schemas', 'registry', () => decoder.prepare(records.map(({ value }) => value)))
  const partitions = portions.map(({ turn }) => `${turn.topic}/${turn.partition}`)
  const chunk = await understand(parts, typeOf, records, partitions.every(newIds.expected), (ids) =>
    step('read', 'mongodb', () => store.read(ids)),
  )
  const origin: Origin = { since: timestampsOf(portions), contexts }
  let outgoing = prepare(parts, chunk.placed(), [], origin)
  const prices = [...chunk.placed().prices.values()]
  const documents = () => chunk.take().entries
  const written = await step('write', 'mongodb', () => writeDocuments(store, documents, chunk.existing))
  const onlyNew = chunk.existing.size === 0 && written.updated + written.unchanged === 0
  for (const partition of partitions) newIds.saw(partition, onlyNew)
  if (prices.length > 0) await step('prices', 'mongodb', () => writePrices(parts.prices, prices))
  if (written.refused.length > 0) outgoing = prepare(parts, chunk.placed(), written.refused, origin)
  await step('send', 'kafka', () => send(parts, outgoing))
  count(metrics, outgoing, written)
  metrics.chunkRecords.observe({ stage: 'ingest' }, records.length)
}

/**
 * The records of a chunk as they were understood. That is many times their bytes, so it is not kept while the chunk waits
 * for MongoDB and Kafka: the rare case that needs it again has it made again.
 */
interface Understood {
  existing: Existing
  placed(): Placed
  /** What `placed` gives, for the last time at this cost. */
  take(): Placed
}

async function understand(
  parts: IngestParts,
  typeOf: (topic: string) => RecordType,
  records: SourceRecord[],
  areNew: boolean,
  read: (ids: string[]) => Promise<Existing>,
): Promise<Understood> {
  const { metrics, settings } = parts
  const now = Date.now()
  const takeAll = () => records.map((record) => takeSafely(parts, typeOf(record.topic), record))
  const taken = await timed(metrics, 'ingest', 'normalize', async () => takeAll())
  const existing: Existing = areNew && taken.every(knowsItsTime) ? new Map() : await read(idsOf(taken))
  const place = (all: Taken[]) => placeChunk(all, (id) => existing.get(id)?.createdAt, now, settings)
  let made: Placed | null = place(taken)
  const placed = () => {
    made ??= place(takeAll())
    return made
  }
  const take = () => {
    const last = placed()
    made = null
    return last
  }
  return { existing, placed, take }
}

function idsOf(taken: Taken[]): string[] {
  const ids = new Set<string>()
  for (const one of taken) if ('id' in one) ids.add(one.id)
  return [...ids]
}

/** A record without a time of its own takes one from what is stored. */
function knowsItsTime(taken: Taken): boolean {
  return !('normalized' in taken) || taken.normalized === null || taken.normalized.time !== null
}

/** A record that makes us throw must not stop its partition for ever. */
function takeSafely(parts: IngestParts, type: RecordType, record: SourceRecord): Taken {
  try {
    return take(parts, type, record)
  } catch (error) {
    const message = `the program failed on it (${(error as Error).name}): report a bug with the digest of this record`
    return { record, reject: { reject: 'unexpected', message } }
  }
}

/** Bytes to what they mean, or to the reason why not. Nothing here waits. */
function take({ decoder, cards, zone, seal, settings }: IngestParts, type: RecordType, record: SourceRecord): Taken {
  if (record.value === null) {
    const id = tombstoneId(record.key, cards)
    return typeof id === 'string' ? { record, id, normalized: null } : { record, reject: id }
  }
  const { bytes } = settings.limits
  if (record.value.length > bytes) {
    const message = `The value has ${record.value.length} bytes, and MAX_RECORD_BYTES is ${bytes}. Send less, or raise it.`
    return { record, reject: { reject: 'too_large', message } }
  }
  const decoded = decoder.decode(record.value)
  if ('reject' in decoded) return { record, reject: decoded }
  const normalized = normalize(type, record.key, decoded.value, cards, zone)
  if ('reject' in normalized) return { record, reject: normalized }
  const { id, content, priceZone: zoneOfPrice } = normalized
  normalized.content = seal(id, content)
  if (zoneOfPrice === null) return { record, id, normalized }
  const { http_status = null, response = null } = content
  return { record, id, normalized, price: { zone: zoneOfPrice, content: seal(zoneOfPrice, { http_status, response }) } }
}

/** What a chunk sends, and what there is to count of it. */
interface Outgoing {
  packs: PartitionMessage[]
  observations: number
  rejected: Rejected[]
  unknown: Placed['unknown']
  account: Account
}

/** What packs tell of the records behind their observations. */
interface Origin {
  since(source: Source): number
  contexts: Contexts | null
}

/** A record that is not stored announces nothing. */
function prepare({ lanes }: IngestParts, placed: Placed, refused: Rejected[], { since, contexts }: Origin): Outgoing {
  const unstored = new Set(refused.map(({ record }) => placeOf(record)))
  const isStored = ({ source }: Observation) => !unstored.has(placeOf(source))
  const observations = unstored.size === 0 ? placed.observations : placed.observations.filter(isStored)
  return {
    packs: pack(observations, lanes, contexts && (({ source }) => contexts.get(placeOf(source))), since),
    observations: observations.length,
    rejected: [...placed.rejects, ...refused],
    unknown: placed.unknown,
    account: accountOf(placed, refused),
  }
}

/** Observations first, then dead letters. */
async function send(parts: IngestParts, { packs, rejected }: Outgoing) {
  const { producer, settings, deadLetterPartitions, cards, tracing } = parts
  const { observations: topic, deadLetters } = settings.topics
  const cleaning = { ...cards, hidesCards: (record: SourceRecord) => hidesCards(parts, record) }
  await tracedSend(tracing, { topic }, packs.length, (own) => {
    if (own !== null) for (const message of packs) setContext(message, own)
    return sendAll(producer, topic, packs)
  })
  const letters = rejected.map(({ record, reject }) => deadLetter(record, reject, deadLetterPartitions, cleaning))
  await tracedSend(tracing, { topic: deadLetters }, letters.length, () =>
    sendDeadLetters(producer, deadLetters, letters),
  )
}

/** Numbers in a binary encoding show no digits: only the decoded value tells. */
function hidesCards({ decoder, cards }: IngestParts, { value }: SourceRecord): boolean {
  if (value?.[0] !== 0) return false
  try {
    const decoded = decoder.decode(value)
    return !('reject' in decoded) && cards.clean(decoded.value) !== decoded.value
  } catch {
    return true // it cannot be looked through
  }
}

function count(metrics: Metrics, outgoing: Outgoing, { inserted, updated, unchanged, kept }: Written): void {
  metrics.documents.inc({ result: 'inserted' }, inserted)
  metrics.documents.inc({ result: 'updated' }, updated)
  metrics.documents.inc({ result: 'unchanged' }, unchanged)
  metrics.observations.inc({ result: 'sent' }, outgoing.observations)
  metrics.unknownWords.inc({ field: 'status' }, outgoing.unknown.status)
  metrics.unknownWords.inc({ field: 'event_type' }, outgoing.unknown.event_type)
  for (const { reject } of outgoing.rejected) metrics.deadLetters.inc({ reason: reject.reject })
  for (const { topic, partition, counts } of settle(outgoing.account, kept)) {
    for (const outcome of OUTCOMES) metrics.inputRecords.inc({ topic, partition, outcome }, counts[outcome])
  }
}
