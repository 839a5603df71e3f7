import { MongoClient } from 'mongodb'
import type { InputRecord, ModelSettings } from '../model/input.ts'
import { createModel, type Model } from '../model/model.ts'
import { compareDeadLetters } from './compare-dead-letters.ts'
import { compareDocuments } from './compare-documents.ts'
import { compareUpdates } from './compare-updates.ts'
import { endsOfTopics, readTopic } from './judge.ts'
import type { RunNames } from './run-names.ts'
import { schemasFrom } from './schemas.ts'
import { sealTopic, withoutSeals } from './seal.ts'

/** What a run came to, next to what it should have come to. */
export interface Report {
  /** How much there was to compare. */
  figures: Record<string, number>
  /** Differences by sort; all 0 when all is well. */
  differences: Record<string, number>
  examples: string[]
}

export interface RunServices {
  KAFKA_BROKERS: string
  MONGODB_URI: string
  SCHEMA_REGISTRY_URL?: string
}

/**
 * Reads what went in, asks the model what must come out, and compares all three outputs with it. The processors of the
 * run must have ended.
 */
export async function compareRun(services: RunServices, names: RunNames, tokenKey: string | null): Promise<Report> {
  const settings: ModelSettings = {
    eventsTopics: [names.EVENTS_TOPICS],
    retentionMs: 90 * 86_400_000,
    maxClockSkewMs: 300_000,
    tokenKey,
    schemas: services.SCHEMA_REGISTRY_URL === undefined ? null : schemasFrom(services.SCHEMA_REGISTRY_URL),
    now: Date.now(),
  }
  const brokers = services.KAFKA_BROKERS
  const partitions = await sealTopic(brokers, names.STATUS_TOPIC)
  const inputs = [names.EVENTS_TOPICS, names.RESPONSES_TOPICS]
  const ends = await endsOfTopics(brokers, [...inputs, names.STATUS_TOPIC, names.DEAD_LETTER_TOPIC])
  const read = (topic: string) => readTopic(brokers, topic, { ends: ends.get(topic) ?? null })
  const model = createModel(settings)
  const takeAll = async (topic: string) => {
    for await (const record of read(topic)) await model.take(record as InputRecord)
  }
  await Promise.all(inputs.map(takeAll))
  const [documents, updates, deadLetters] = await Promise.all([
    withDocuments(services, names, (stored) => compareDocuments(stored, model, settings)),
    compareUpdates(withoutSeals(read(names.STATUS_TOPIC)), model, { partitions, schemas: settings.schemas }),
    compareDeadLetters(read(names.DEAD_LETTER_TOPIC), model),
  ])
  return {
    figures: {
      ...figuresOf(model),
      updates: updates.updates,
      'keys with an exact sequence': updates.exactSequences,
      'dead letters': deadLetters.deadLetters,
      'dead letters repeated': deadLetters.repeated,
    },
    differences: { ...documents.counts, ...updates.counts, ...deadLetters.counts },
    examples: [...documents.examples, ...updates.examples, ...deadLetters.examples],
  }
}

function figuresOf({ counts, documents, observations }: Model): Record<string, number> {
  let count = 0
  for (const list of observations.values()) count += list.length
  let unsure = 0
  for (const { timeless, partition } of documents.values()) if (timeless && partition === null) unsure++
  return {
    records: counts.records,
    'records expired on arrival': counts.expired,
    tombstones: counts.tombstones,
    documents: documents.size,
    'documents that the order of partitions decides': unsure,
    observations: count,
    keys: observations.size,
  }
}

async function withDocuments<T>(
  { MONGODB_URI }: RunServices,
  { MONGODB_DATABASE, MONGODB_COLLECTION }: RunNames,
  use: (stored: AsyncIterable<Record<string, unknown>>) => Promise<T>,
): Promise<T> {
  const client = new MongoClient(MONGODB_URI, { promoteLongs: false })
  try {
    return await use(client.db(MONGODB_DATABASE).collection(MONGODB_COLLECTION).find())
  } finally {
    await client.close()
  }
}

/** Whether there is any difference. */
export const isRight = ({ differences }: Report) => Object.values(differences).every((count) => count === 0)

/** The report as text, for people. */
export function tellReport({ figures, differences, examples }: Report): string {
  const line = ([name, count]: [string, number]) => `${String(count).padStart(9)}  ${name}`
  const wrong = Object.entries(differences).filter(([, count]) => count > 0)
  const verdict = wrong.length === 0 ? ['no difference'] : [...wrong.map(line), ...examples]
  return [...Object.entries(figures).map(line), ...verdict].join('\n')
}
