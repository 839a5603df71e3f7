import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { DEAD_LETTER_REASONS } from '../contract/dead-letter.ts'
import { createAges } from './ages.ts'
import { createCommon, createRegistry } from './registry.ts'

/** Everything that `/metrics` shows beside the process metrics of prom-client. Labels take few values, known at start. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
const RECORDS = [1, 5, 10, 50, 100, 250, 500, 1000, 2000, 5000, 10_000]
const RESTORE_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300]

/** The label values that are a closed list; they are there from the start, at zero. */
const DOCUMENT_RESULTS = ['inserted', 'updated', 'unchanged'] as const
const OBSERVATION_RESULTS = ['sent', 'published', 'older', 'expired'] as const
const UPDATE_TYPES = ['changed', 'confirmed'] as const
export const LANE_STATES = ['opening', 'restoring', 'running', 'failed'] as const
export const STAGES = ['ingest', 'status'] as const

type Stage = (typeof STAGES)[number]

function counters(registers: Registry[]) {
  return {
    recordsConsumed: new Counter({
      name: 'pm_records_consumed_total',
      help: 'Kafka records that a stage has read and is done with.',
      labelNames: ['stage', 'topic', 'partition'] as const,
      registers,
    }),
    inputRecords: new Counter({
      name: 'pm_input_records_total',
      help: 'Input records by what became of them, each once: their sum is what ingest has read.',
      labelNames: ['topic', 'partition', 'outcome'] as const,
      registers,
    }),
    documents: new Counter({
      name: 'pm_documents_total',
      help: 'Writes of cache documents by what they did.',
      labelNames: ['result'] as const,
      registers,
    }),
    unknownWords: new Counter({
      name: 'pm_unknown_words_total',
      help: 'Status words and event types that are not in the table of those ParkMobile is known to use.',
      labelNames: ['field'] as const,
      registers,
    }),
    observations: new Counter({
      name: 'pm_observations_total',
      help: 'Observations sent by ingest, and what the status stage made of them.',
      labelNames: ['result'] as const,
      registers,
    }),
    statusUpdates: new Counter({
      name: 'pm_status_updates_total',
      help: 'Status updates committed to the status topic.',
      labelNames: ['type'] as const,
      registers,
    }),
    deadLetters: new Counter({
      name: 'pm_dead_letters_total',
      help: 'Records sent to the dead-letter topic.',
      labelNames: ['reason'] as const,
      registers,
    }),
    rebalances: new Counter({
      name: 'pm_rebalances_total',
      help: 'Times that the consumer of a stage joined its group.',
      labelNames: ['stage'] as const,
      registers,
    }),
    headsExpired: new Counter({
      name: 'pm_heads_expired_total',
      help: 'Keys that ended, with a null value in the status topic, after their retention.',
      registers,
    }),
    restoredRecords: new Counter({
      name: 'pm_restored_records_total',
      help: 'Status records read to rebuild heads; its rate is that of the restore.',
      registers,
    }),
  }
}

function histograms(registers: Registry[]) {
  return {
    stepDuration: new Histogram({
      name: 'pm_step_duration_seconds',
      help: 'Time of one step over one chunk.',
      labelNames: ['stage', 'step'] as const,
      buckets: SECONDS,
      registers,
    }),
    chunkRecords: new Histogram({
      name: 'pm_chunk_records',
      help: 'Records in a chunk.',
      labelNames: ['stage'] as const,
      buckets: RECORDS,
      registers,
    }),
    restoreDuration: new Histogram({
      name: 'pm_restore_duration_seconds',
      help: 'Time a lane took to rebuild its heads.',
      buckets: RESTORE_SECONDS,
      registers,
    }),
    documentAge: createAges(
      'pm_document_age_seconds',
      'Age of input records, by their Kafka timestamp, when ingest was done with them: their documents written.',
      registers,
    ),
    updateAge: createAges(
      'pm_update_age_seconds',
      'Age of input records, by their Kafka timestamp, when the status updates that they make were committed.',
      registers,
    ),
  }
}

function gauges(registers: Registry[]) {
  return {
    consumerLag: new Gauge({
      name: 'pm_consumer_lag_records',
      help: 'Records of a partition that its group has not committed yet, from the admin client.',
      labelNames: ['group', 'topic', 'partition'] as const,
      registers,
    }),
    lastProgress: new Gauge({
      name: 'pm_last_progress_timestamp_seconds',
      help: 'Unix time when a stage last finished a batch or a chunk of one.',
      labelNames: ['stage'] as const,
      registers,
    }),
    lanes: new Gauge({
      name: 'pm_lanes',
      help: 'Lanes of the status stage by state.',
      labelNames: ['state'] as const,
      registers,
    }),
    heads: new Gauge({
      name: 'pm_heads',
      help: 'Keys whose head this process holds.',
      registers,
    }),
    restoreLeft: new Gauge({
      name: 'pm_restore_left_records',
      help: 'Status records still to read by the lanes that rebuild their heads, about.',
      registers,
    }),
  }
}

/** A fresh set of metrics on a registry of its own. What has a closed list of label values starts at zero. */
export function createMetrics() {
  const registry = createRegistry()
  const metrics = {
    ...{ ...counters([registry]), ...histograms([registry]) },
    ...{ ...gauges([registry]), ...createCommon([registry]) },
  }
  for (const result of DOCUMENT_RESULTS) metrics.documents.inc({ result }, 0)
  for (const field of ['status', 'event_type']) metrics.unknownWords.inc({ field }, 0)
  for (const result of OBSERVATION_RESULTS) metrics.observations.inc({ result }, 0)
  for (const type of UPDATE_TYPES) metrics.statusUpdates.inc({ type }, 0)
  for (const reason of DEAD_LETTER_REASONS) metrics.deadLetters.inc({ reason }, 0)
  for (const state of LANE_STATES) metrics.lanes.set({ state }, 0)
  for (const stage of STAGES) metrics.rebalances.inc({ stage }, 0)
  return { registry, ...metrics }
}

export type Metrics = ReturnType<typeof createMetrics>

/** Runs `work` as one step of a stage and records how long it took, also when it fails. */
export async function timed<T>(metrics: Metrics, stage: Stage, step: string, work: () => Promise<T> | T): Promise<T> {
  const end = metrics.stepDuration.startTimer({ stage, step })
  try {
    return await work()
  } finally {
    end()
  }
}
