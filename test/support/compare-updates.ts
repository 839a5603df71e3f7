import { readAvro } from '../model/avro.ts'
import { positionOf, type SchemaSource } from '../model/input.ts'
import { compareText, type Model, type Observed } from '../model/model.ts'
import { defaultPartition } from '../model/partition.ts'
import { updateId } from '../model/update-id.ts'
import { createDifferences, type Differences, diff, show } from './differences.ts'
import type { JudgedRecord } from './judge.ts'

const SORTS = [
  'updates lost',
  'updates duplicated',
  'updates out of order',
  'updates with a wrong previous status',
  'updates with a wrong revision',
  'updates with a wrong state',
  'updates with a wrong id',
  'updates with wrong fields',
  'updates with wrong headers',
  'updates on a wrong partition',
  'updates backed by no record',
  'keys with a wrong sequence',
  'updates that cannot be read',
] as const

type Update = Observed & {
  id: string
  previous_status: string | null
  changed: boolean
  revision: number
  state: Record<string, Point>
}

/** Where a kind of a key stands. */
interface Point {
  status: string
  occurred_at: string
  event_id: string
}

/** What has been seen of a key so far. */
interface Progress {
  revision: number
  state: Record<string, Point>
  sources: string[]
}

/** Judges the status topic by what any timing must give. */
export async function compareUpdates(
  records: AsyncIterable<JudgedRecord>,
  model: Model,
  { partitions, schemas }: { partitions: number; schemas: SchemaSource | null },
): Promise<Differences & { updates: number; exactSequences: number }> {
  const differences = createDifferences(SORTS)
  const seen = new Map<string, Progress>()
  let updates = 0
  for await (const record of records) {
    updates++
    const update = await readUpdate(record, schemas)
    if (update === null) differences.add('updates that cannot be read', () => show(record))
    else judge(record, update, { differences, seen, model, partitions })
  }
  const exactSequences = judgeKeys(model, seen, differences)
  return { ...differences, updates, exactSequences }
}

async function readUpdate({ value }: JudgedRecord, schemas: SchemaSource | null): Promise<Update | null> {
  if (value === null) return null
  if (value[0] !== 0) return JSON.parse(value.toString('utf8'))
  const schema = await schemas?.(value.readInt32BE(1))
  return schema === undefined ? null : (readAvro(schema, value.subarray(5), { text: (text) => text }) as Update)
}

interface Judging {
  differences: Differences
  seen: Map<string, Progress>
  model: Model
  partitions: number
}

function judge(record: JudgedRecord, update: Update, { differences, seen, model, partitions }: Judging): void {
  const key = String(record.key)
  const say = (sort: (typeof SORTS)[number], more = '') =>
    differences.add(sort, () => `${key} at ${positionOf(record)}: ${show(update)}${more}`)
  const { id, previous_status, changed, revision, state, ...own } = update
  const { kind, status, occurred_at, event_id } = own
  const progress = seen.get(key) ?? { revision: 0, state: {}, sources: [] }
  const previous = progress.state[kind]

  const rise = previous === undefined ? 1 : comparePoints(own, previous)
  if (rise === 0) say('updates duplicated')
  if (rise < 0) say('updates out of order', ` after ${show(previous)}`)
  if (previous_status !== (previous?.status ?? null) || changed !== (status !== previous_status)) {
    say('updates with a wrong previous status', ` after ${show(previous)}`)
  }
  if (revision !== progress.revision + 1) say('updates with a wrong revision', ` after ${progress.revision}`)
  const expectedState = { ...progress.state, [kind]: { status, occurred_at, event_id } }
  const wrongState = diff(expectedState, state)
  if (wrongState.length > 0) say('updates with a wrong state', `\n    ${wrongState.join('\n    ')}`)
  if (id !== updateId(key, kind, event_id, occurred_at, status)) say('updates with a wrong id')
  if (record.partition !== defaultPartition(record.key ?? Buffer.alloc(0), partitions))
    say('updates on a wrong partition')
  const wrongHeaders = diff(headersOf(update, record.value?.[0] === 0), record.headers)
  if (wrongHeaders.length > 0) say('updates with wrong headers', `\n    ${wrongHeaders.join('\n    ')}`)

  const source = positionOf(own.source)
  const observed = model.observations.get(key)?.find((one) => positionOf(one.source) === source)
  if (observed === undefined) say('updates backed by no record')
  else {
    const wrong = diff(observed, own)
    if (wrong.length > 0) say('updates with wrong fields', `\n    ${wrong.join('\n    ')}`)
  }
  seen.set(key, { revision, state: expectedState, sources: [...progress.sources, source] })
}

/** CloudEvents 1.0 in Kafka's binary mode. */
function headersOf(update: Update, isAvro: boolean): Record<string, string> {
  return {
    ce_specversion: '1.0',
    ce_id: update.id,
    ce_source: '/pm-parking-events',
    ce_type: update.changed ? 'parking.status.changed' : 'parking.status.confirmed',
    ce_time: update.occurred_at,
    'content-type': isAvro ? 'application/avro' : 'application/json',
  }
}

function comparePoints(a: Point, b: Point): number {
  return (
    compareText(a.occurred_at, b.occurred_at) || compareText(a.event_id, b.event_id) || compareText(a.status, b.status)
  )
}

/** What can be said only at the end; returns for how many keys the exact sequence was known. */
function judgeKeys(model: Model, seen: ReadonlyMap<string, Progress>, differences: Differences): number {
  let exact = 0
  for (const [key, observations] of model.observations) {
    const progress = seen.get(key)
    for (const newest of newestByKind(observations).values()) {
      const point = progress?.state[newest.kind]
      if (point === undefined || comparePoints(point, newest) !== 0) {
        differences.add('updates lost', () => `${key} ends with ${show(point)}, but should with ${show(newest)}`)
      }
    }
    if (new Set(observations.map(({ source }) => `${source.topic}/${source.partition}`)).size > 1) continue
    exact++
    const wrong = diff(sequence(observations), progress?.sources ?? [])
    if (wrong.length > 0) differences.add('keys with a wrong sequence', () => `${key}\n    ${wrong.join('\n    ')}`)
  }
  return exact
}

function newestByKind(observations: Observed[]): Map<string, Observed> {
  const newest = new Map<string, Observed>()
  for (const one of observations) {
    const before = newest.get(one.kind)
    if (before === undefined || comparePoints(one, before) > 0) newest.set(one.kind, one)
  }
  return newest
}

/** The updates of a key whose records all come in a known order: each that is newer than all before it, of its kind. */
function sequence(observations: Observed[]): string[] {
  const newest = new Map<string, Observed>()
  const sources: string[] = []
  for (const one of observations) {
    const before = newest.get(one.kind)
    if (before !== undefined && comparePoints(one, before) <= 0) continue
    newest.set(one.kind, one)
    sources.push(positionOf(one.source))
  }
  return sources
}
