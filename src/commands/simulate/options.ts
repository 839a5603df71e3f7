import type { Shares, TrafficOptions } from '../../simulate/traffic-record.ts'
import { readArguments, UsageError } from '../command-line.ts'

/** The command line of `simulate`, understood. */
export interface SimulateOptions {
  /** How many records; null: until stopped. */
  events: number | null
  /** Records per second of real time; null: as fast as possible. */
  rate: number | null
  traffic: TrafficOptions
  json: boolean
  manifest: string | null
  help: boolean
}

const DAY = 86_400_000
/** A city of this many records a second; long runs get more days, not busier streets. */
const BUSIEST = 40
/** The records fill this much of their span, so that chance does not carry the last ones beyond its end. */
const FILL = 0.75

const FLAGS = {
  events: { type: 'string' },
  rate: { type: 'string' },
  seed: { type: 'string', default: '1' },
  start: { type: 'string' },
  encoding: { type: 'string', default: 'json' },
  duplicates: { type: 'string', default: '0.1' },
  late: { type: 'string', default: '0.05' },
  malformed: { type: 'string', default: '0.01' },
  tombstones: { type: 'string', default: '0.001' },
  spread: { type: 'string', default: '0.02' },
  manifest: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const

/** @param now epoch milliseconds; the default start counts back from it. @throws UsageError */
export function parseOptions(args: string[], now: number): SimulateOptions {
  const flags = readArguments(args, FLAGS).values
  const rate = number('rate', flags.rate ?? '0', 0) || null
  const asked = flags.events === undefined ? (rate === null ? 10_000 : 0) : whole('events', flags.events)
  const events = asked || null
  if (events === null && rate === null) throw new UsageError('--events 0 goes on until stopped and needs a --rate.')
  const span = events === null ? 0 : Math.max(DAY, (events / BUSIEST) * 1000)
  const traffic: TrafficOptions = {
    seed: flags.seed,
    start: flags.start === undefined ? now - span : time(flags.start),
    pace: events === null ? (rate as number) : (events / (FILL * span)) * 1000,
    dayCurve: events !== null,
    encoding: encoding(flags.encoding),
    shares: shares(flags),
  }
  return { events, rate, traffic, json: flags.json, manifest: flags.manifest ?? null, help: flags.help === true }
}

function number(name: string, text: string, least: number): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value < least) {
    throw new UsageError(`--${name} ${text}: give a number from ${least}, for example --${name} 100.`)
  }
  return value
}

function whole(name: string, text: string): number {
  const value = number(name, text, 0)
  if (!Number.isSafeInteger(value)) throw new UsageError(`--${name} ${text}: give a whole number.`)
  return value
}

function shares(flags: Record<keyof Shares, string>): Shares {
  const share = (name: keyof Shares) => {
    const value = number(name, flags[name], 0)
    if (value > 0.9) throw new UsageError(`--${name} ${flags[name]}: give a share of at most 0.9, for example 0.05.`)
    return value
  }
  const all = {
    duplicates: share('duplicates'),
    late: share('late'),
    malformed: share('malformed'),
    tombstones: share('tombstones'),
    spread: share('spread'),
  }
  if (all.duplicates + all.late + all.malformed + all.tombstones > 0.95) {
    throw new UsageError(
      '--duplicates, --late, --malformed and --tombstones leave no ordinary records; lower one of them.',
    )
  }
  return all
}

function encoding(text: string): TrafficOptions['encoding'] {
  if (text === 'json' || text === 'avro' || text === 'mixed') return text
  throw new UsageError(`--encoding ${text}: give json, avro or mixed.`)
}

function time(text: string): number {
  const at = /^\d{11,}$/.test(text) ? Number(text) : Date.parse(text)
  if (Number.isNaN(at)) throw new UsageError(`--start ${text}: give a time such as 2024-06-01T06:00:00Z.`)
  return at
}
