/**
 * The first walk, per chunk of one input partition:
 *
 *   decode → normalize → place (documents, observations, rejects) → documents → observations and dead letters → offset
 *
 * A crash anywhere replays the chunk, and every effect is idempotent: documents merge, observations are judged again by
 * their lane, dead letters carry their source position. An outage of MongoDB, Kafka or the registry is waited out. A
 * document is readable before anybody can see the status update that it causes.
 */
import type { KafkaMessage, Producer } from 'kafkajs'
import type { RecordType, SourceRecord } from './contract/record.ts'
import type { Decoder } from './decode/decoder.ts'
import { createNewIds, type NewIds } from './documents/new-ids.ts'
import type { DocumentStore } from './documents/store.ts'
import type { Cards } from './normalize/card-data.ts'
import { normalize, tombstoneId } from './normalize/normalize.ts'
import { type Metrics, timed } from './operate/metrics.ts'
import type { Dependency, Outages } from './operate/outages.ts'
import { type Entry, type Placed, placeChunk, type Rejected, type Taken } from './place-chunk.ts'
import type { Settings } from './settings.ts'
import { sourceRecord, type Turn } from './stream/consumer.ts'
import { deadLetter, sendDeadLetters } from './stream/dead-letters.ts'
import { pack } from './stream/packs.ts'
import { sendAll } from './stream/send.ts'

type Existing = Awaited<ReturnType<DocumentStore['read']>>

export interface IngestParts {
  settings: Settings
  decoder: Decoder
  cards: Cards
  store: DocumentStore
  producer: Producer
  metrics: Metrics
  outages: Outages
  /** Partitions of the observations topic, and of the dead-letter topic. */
  lanes: number
  deadLetterPartitions: number
}

/** The handler of one batch of an input partition. */
export function createIngest(parts: IngestParts) {
  const { settings, metrics } = parts
  const events = new Set(settings.topics.events)
  const newIds = createNewIds()
  return async (messages: KafkaMessage[], lastOffset: string, turn: Turn): Promise<void> => {
    const type: RecordType = events.has(turn.topic) ? 'event' : 'response'
    for (let from = 0; from < messages.length && !turn.signal.aborted; from += settings.chunkRecords) {
      const records = messages.slice(from, from + settings.chunkRecords).map((message) => sourceRecord(turn, message))
      await ingestChunk(parts, type, records, newIds, turn.signal)
      const isLast = from + records.length === messages.length
      const offset = isLast ? lastOffset : (records.at(-1) as SourceRecord).offset
      if (!(await timed(metrics, 'ingest', 'commit', () => turn.commit(offset)))) return
      metrics.recordsConsumed.inc({ stage: 'ingest', topic: turn.topic }, records.length)
      metrics.chunkRecords.observe({ stage: 'ingest' }, records.length)
      metrics.lastProgress.setToCurrentTime({ stage: 'ingest' })
    }
  }
}

async function ingestChunk(
  parts: IngestParts,
  type: RecordType,
  records: SourceRecord[],
  newIds: NewIds,
  signal: AbortSignal,
) {
  const { decoder, store, metrics, outages, settings } = parts
  const step = <T>(name: string, dependency: Dependency, work: () => Promise<T>) =>
    outages.waitOut(dependency, signal, () => timed(metrics, 'ingest', name, work))

  if (settings.registry) await step('schemas', 'registry', () => decoder.prepare(records.map(({ value }) => value)))
  const taken = await timed(metrics, 'ingest', 'normalize', () =>
    records.map((record) => takeSafely(parts, type, record)),
  )
  const partition = `${records[0]?.topic}/${records[0]?.partition}`
  const blind = newIds.expected(partition) && taken.every(knowsItsTime)
  const existing: Existing = blind ? new Map() : await step('read', 'mongodb', () => store.read(idsOf(taken)))
  const placed = placeChunk(taken, (id) => existing.get(id)?.createdAt, Date.now(), settings)
  const written = await step('write', 'mongodb', () => writeEntries(store, placed.entries, existing))
  newIds.saw(partition, existing.size === 0 && written.results.updated + written.results.unchanged === 0)
  const sent = await step('send', 'kafka', () => send(parts, placed, written.refused))
  count(metrics, placed, written, sent)
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
function take({ decoder, cards }: IngestParts, type: RecordType, record: SourceRecord): Taken {
  if (record.value === null) {
    const id = tombstoneId(record.key, cards)
    return typeof id === 'string' ? { record, id, normalized: null } : { record, reject: id }
  }
  const decoded = decoder.decode(record.value)
  if ('reject' in decoded) return { record, reject: decoded }
  const normalized = normalize(type, record.key, decoded.value, cards)
  return 'reject' in normalized ? { record, reject: normalized } : { record, id: normalized.id, normalized }
}

interface Written {
  results: Record<'inserted' | 'updated' | 'unchanged', number>
  refused: Rejected[]
}

async function writeEntries(store: DocumentStore, entries: Placed['entries'], existing: Existing): Promise<Written> {
  const { refused, ...results } = await store.write(
    [...entries.values()].map(({ document }) => document),
    existing,
  )
  const written: Written = { results, refused: [] }
  for (const [id, message] of refused) {
    const { parts } = entries.get(id) as Entry
    const only = parts.length === 1 ? parts[0] : undefined
    if (only) written.refused.push({ record: only.record, reject: { reject: 'unstorable', message } })
    else for (const part of parts) await writePart(store, part, written)
  }
  return written
}

/** One of several records of a refused document: it may be another that cannot be stored. */
async function writePart(store: DocumentStore, { record, document }: Entry['parts'][0], written: Written) {
  const { refused, ...results } = await store.write([document], await store.read([document._id]))
  for (const name of ['inserted', 'updated', 'unchanged'] as const) written.results[name] += results[name]
  for (const message of refused.values()) written.refused.push({ record, reject: { reject: 'unstorable', message } })
}

/** Observations first, then dead letters; the observations sent. A record that is not stored announces nothing. */
async function send(parts: IngestParts, placed: Placed, refused: Rejected[]): Promise<number> {
  const { producer, settings, lanes, deadLetterPartitions, cards } = parts
  const unstored = new Set(refused.map(({ record }) => record.offset))
  const observations = placed.observations.filter(({ source }) => !unstored.has(source.offset))
  await sendAll(producer, settings.topics.observations, pack(observations, lanes))
  const letters = [...placed.rejects, ...refused].map(({ record, reject }) =>
    deadLetter(record, reject, deadLetterPartitions, cards.cleanBytes),
  )
  await sendDeadLetters(producer, settings.topics.deadLetters, letters)
  return observations.length
}

/** A record counts once: by what its document came to, or as folded into another of its chunk (unchanged). */
function count(metrics: Metrics, placed: Placed, { results, refused }: Written, sent: number): void {
  let tombstones = 0
  let folded = 0
  for (const entry of placed.entries.values()) {
    tombstones += entry.tombstones
    folded += entry.parts.length - 1
  }
  metrics.documents.inc({ result: 'inserted' }, results.inserted)
  metrics.documents.inc({ result: 'updated' }, results.updated)
  metrics.documents.inc({ result: 'unchanged' }, results.unchanged + folded)
  metrics.documents.inc({ result: 'expired' }, placed.expired)
  metrics.documents.inc({ result: 'tombstone' }, tombstones)
  metrics.observations.inc({ result: 'sent' }, sent)
  for (const { reject } of [...placed.rejects, ...refused]) metrics.deadLetters.inc({ reason: reject.reject })
}
