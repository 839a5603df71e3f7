import { memoryOf } from '../local/proc.ts'
import type { Bed } from './bed.ts'
import { type Committed, countCommitted } from './count-committed.ts'
import { COLLECTION, DEAD_LETTERS, type Deployment, startOurs } from './ours.ts'
import { startPeer } from './peer.ts'
import { measureWindow, type Progress, type Window } from './window.ts'

/** One run of one side over one topic, measured and counted. */
export interface Round extends Window {
  side: string
  scenario: string
  documents: number
  /** What a reader of committed records found; the peer makes none. */
  updates?: Committed
  /** Peak resident memory in MiB, of the largest process of the side. */
  peakMemory: number
  /** What is wrong in what it left behind. */
  errors: string[]
}

/** A topic to go through. */
export interface Task {
  scenario: string
  topic: string
  records: number
  /** What must be there at the end. */
  documents: number
  updates: number
}

/** A side that has been started over a topic. */
interface Started {
  pids: number[]
  progress(): Promise<Progress>
  stop(): Promise<void>
}

/** The window opens after this share: by then Java has compiled what is hot, and the lanes are open. */
export const WINDOW_FROM = 1 / 3
/** Whoever does fewer records a second for long does not go on. */
const LEAST_PER_SECOND = 400
const LEAST_TIMEOUT_MS = 300_000

export interface OursOptions {
  side?: string
  processes?: number
  /** Settings beside the deployment's. */
  env?: Record<string, string>
}

/** Our side over a topic. A deployment that has run before goes on with its documents and heads. */
export async function roundOfOurs(
  bed: Bed,
  task: Task,
  deployment: Deployment,
  { side = 'ours', processes = 1, env = {} }: OursOptions = {},
): Promise<Round> {
  const before = await deadLetters(bed)
  await rewind(bed, deployment.group)
  const start = () => startOurs(bed.program, deployment, { events: task.topic, processes, env })
  const measured = await measure(bed, side, task, 'program', start)
  const counted = await countOurs(bed, deployment, task)
  const errors = [...counted.errors, ...mismatch('dead letters', await deadLetters(bed), before)]
  return told(bed, { ...measured, ...counted, errors })
}

/** What our side has left behind, beside what must be there. */
export async function countOurs(
  bed: Bed,
  { database, status }: Deployment,
  expected: Pick<Task, 'documents' | 'updates'>,
): Promise<Required<Pick<Round, 'documents' | 'updates' | 'errors'>>> {
  const documents = await countDocuments(bed, database)
  const updates = await countCommitted(bed.services.env.KAFKA_BROKERS, status, expected.updates)
  const errors = [
    ...mismatch('documents', documents, expected.documents),
    ...mismatch('updates', updates.records, expected.updates),
    ...mismatch('ids of updates', updates.ids, expected.updates),
  ]
  return { documents, updates, errors }
}

/** The peer over a topic, into a collection that has an index on the card, as ours has. */
export async function roundOfPeer(bed: Bed, task: Task, database: string): Promise<Round> {
  const { services, mongo } = bed
  await mongo.db(database).collection(COLLECTION).createIndex({ card: 1 })
  const start = () =>
    startPeer({
      ...{ directory: services.directory, brokers: services.env.KAFKA_BROKERS, mongodbUri: services.env.MONGODB_URI },
      ...{ mongo, topic: task.topic, database, name: `peer-${bed.next()}` },
    })
  const measured = await measure(bed, 'peer', task, 'peer', start)
  const documents = await countDocuments(bed, database)
  const errors = mismatch('documents', documents, task.documents)
  return told(bed, { ...measured, documents, errors })
}

type Measured = Omit<Round, 'documents' | 'errors'>

async function measure(
  bed: Bed,
  side: string,
  { scenario, records }: Task,
  name: string,
  start: () => Promise<Started>,
): Promise<Measured> {
  await bed.settle()
  const { pids, progress, stop } = await start()
  try {
    const window = await measureWindow({
      ...{ records, from: WINDOW_FROM, progress, watched: { [name]: pids, ...bed.pids } },
      timeoutMs: Math.max(LEAST_TIMEOUT_MS, (records / LEAST_PER_SECOND) * 1e3),
      what: `${scenario}, ${side}`,
    })
    return { ...window, side, scenario, peakMemory: peakMemory(pids) }
  } finally {
    await stop()
  }
}

/** Peak resident memory in MiB, of the largest of these processes. */
export const peakMemory = (pids: number[]): number => Math.max(...pids.map((pid) => memoryOf(pid).VmHWM))

const countDocuments = ({ mongo }: Bed, database: string): Promise<number> =>
  mongo.db(database).collection(COLLECTION).countDocuments({})

/** Ingest then reads its topics from the beginning, as after an operator's reset; the lanes go on where they are. */
async function rewind({ cluster: { admin } }: Bed, group: string): Promise<void> {
  const ingest = `${group}-ingest`
  const { groups } = await admin.listGroups()
  if (groups.some(({ groupId }) => groupId === ingest)) await admin.deleteGroups([ingest])
}

/** End of the dead-letter topic. */
async function deadLetters({ cluster }: Bed): Promise<number> {
  if (!(await cluster.admin.listTopics()).includes(DEAD_LETTERS)) return 0
  return (await cluster.admin.fetchTopicOffsets(DEAD_LETTERS)).reduce((sum, { high }) => sum + Number(high), 0)
}

function mismatch(what: string, is: number, should: number): string[] {
  return is === should ? [] : [`${is} ${what} in place of ${should}`]
}

export function told(bed: Bed, round: Round): Round {
  const micros = Object.entries(round.micros).map(([name, value]) => `${name} ${value.toFixed(1)}`)
  const remarks = remarksOn(round)
  bed.tell(
    `${round.scenario}, ${round.side}: ${Math.round(round.perSecond)} records/s, ${round.total.toFixed(1)} µs a record ` +
      `(${micros.join(', ')})${remarks && `  ${remarks}`}`,
  )
  return round
}

export function remarksOn({ doubts, errors }: Pick<Round, 'doubts' | 'errors'>): string {
  return [...errors.map((error) => `WRONG: ${error}`), ...doubts.map((doubt) => `doubted: ${doubt}`)].join('; ')
}
