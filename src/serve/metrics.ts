import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Layer, LookUpOutcome } from '../contract/api.ts'
import { DEAD_LETTER_REASONS } from '../contract/dead-letter.ts'
import { createCommon, createRegistry } from '../operate/registry.ts'

/** What `/metrics` of `serve` shows beside the process metrics of prom-client. Labels take few values, known at start. */
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const OUTCOMES: Record<Layer, LookUpOutcome[]> = {
  memory: ['hit', 'miss', 'stale', 'negative', 'coalesced', 'error'],
  mongodb: ['hit', 'miss', 'error'],
  primary: ['hit', 'miss', 'error'],
}
export const LAYERS = Object.keys(OUTCOMES) as Layer[]
const DROPS = ['slow', 'stopping', 'credentials', 'unavailable'] as const
const BREAKER_STATES = ['closed', 'half-open', 'open'] as const
/** Those that `serve` always has. */
const DEPENDENCIES = ['kafka', 'mongodb'] as const

function createOwn(registers: Registry[]) {
  return {
    lookUps: new Counter({
      name: 'pm_cache_look_ups_total',
      help: 'Look-ups by the layer that was asked and what came of it; those of memory are all there were.',
      labelNames: ['layer', 'outcome'] as const,
      registers,
    }),
    loadDuration: new Histogram({
      name: 'pm_cache_load_duration_seconds',
      help: 'Time that a store took to answer.',
      labelNames: ['layer'] as const,
      buckets: SECONDS,
      registers,
    }),
    entries: new Gauge({ name: 'pm_cache_entries', help: 'Answers in memory.', registers }),
    bytes: new Gauge({ name: 'pm_cache_bytes', help: 'What they take, about; at most SERVE_CACHE_MB.', registers }),
    evictions: new Counter({
      name: 'pm_cache_evictions_total',
      help: 'Answers that made room for others.',
      registers,
    }),
    rejectedRows: new Counter({
      name: 'pm_primary_rejected_rows_total',
      help: 'Rows of the primary store that are no event, by why a record like it would be a dead letter.',
      labelNames: ['reason'] as const,
      registers,
    }),
    fillFailures: new Counter({
      name: 'pm_fill_failures_total',
      help: 'Documents that the primary store had and that could not be merged into MongoDB; they were shown.',
      registers,
    }),
    primaryState: new Gauge({
      name: 'pm_primary_state',
      help: '1 for the state that the circuit breaker before the primary store is in.',
      labelNames: ['state'] as const,
      registers,
    }),
    streamClients: new Gauge({ name: 'pm_stream_clients', help: 'Clients that listen to status updates.', registers }),
    streamDrops: new Counter({
      name: 'pm_stream_drops_total',
      help: 'Clients whose stream was ended by the server.',
      labelNames: ['reason'] as const,
      registers,
    }),
    feedLag: new Gauge({
      name: 'pm_feed_lag_records',
      help: 'Updates that are in the status topic and not shown yet.',
      registers,
    }),
    boardSessions: new Gauge({
      name: 'pm_board_sessions',
      help: 'Sessions that are parked, or ended within a day.',
      registers,
    }),
    requestDuration: new Histogram({
      name: 'pm_http_request_duration_seconds',
      help: 'Time from a request to its answer, but for streams.',
      labelNames: ['route', 'status'] as const,
      buckets: SECONDS,
      registers,
    }),
  }
}

/** A fresh set on a registry of its own. What has a closed list of label values starts at zero. */
export function createServeMetrics() {
  const registry = createRegistry()
  const metrics = { ...createOwn([registry]), ...createCommon([registry]) }
  for (const layer of LAYERS) for (const outcome of OUTCOMES[layer]) metrics.lookUps.inc({ layer, outcome }, 0)
  for (const reason of DROPS) metrics.streamDrops.inc({ reason }, 0)
  for (const reason of DEAD_LETTER_REASONS) metrics.rejectedRows.inc({ reason }, 0)
  for (const dependency of DEPENDENCIES) metrics.dependencyUp.set({ dependency }, 0)
  return {
    registry,
    ...metrics,
    showPrimary(state: (typeof BREAKER_STATES)[number]) {
      for (const one of BREAKER_STATES) metrics.primaryState.set({ state: one }, one === state ? 1 : 0)
    },
  }
}

export type ServeMetrics = ReturnType<typeof createServeMetrics>
