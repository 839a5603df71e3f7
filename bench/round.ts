import type { Bed } from './bed.ts'
import { countCommitted } from './count-committed.ts'
import { COLLECTION, DEAD_LETTERS, type Deployment, startOurs } from './ours.ts'
import { startPeer } from './peer.ts'
import { peakMemory } from './processor-time.ts'
import { measureWindow, type Window } from './window.ts'

/** One run of one side over one topic, measured and counted. */
export interface Round extends Window {
  side: string
  scenario: string
  documents: number
  updates?: number
  /** MiB, of the largest process of the side. */
  peakMemory: number
  /** Why its figures do not count. */
  invalid: string[]
}

export interface Task {
  scenario: string
  topic: string
  records: number
  /** What must be there at the end. */
  documents: number
  updates: number
}

/** Others may use this share of one processor before a round is doubted. */
const MOST_FOREIGN = 0.1
/** The window opens after this share: by then Java has compiled what is hot, and the lanes are open. */
export const WINDOW_FROM = 1 / 3
const TIMEOUT_MS = 900_000

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
  options: OursOptions = {},
): Promise<Round> {
  const { side = 'ours', processes = 1 } = options
  await bed.settle()
  const before = await deadLetters(bed)
  await rewind(bed, deployment.group)
  const ours = await startOurs(bed.program, { ...deployment, events: task.topic, env: options.env ?? {} }, processes)
  let window: Window
  let memory: number
  try {
    window = await measureWindow({
      ...{ records: task.records, from: WINDOW_FROM, progress: ours.progress, timeoutMs: TIMEOUT_MS },
      ...{ watched: { program: ours.pids, ...bed.pids }, what: `${side}, ${task.scenario}` },
    })
    memory = Math.max(...ours.pids.map(peakMemory))
  } finally {
    await ours.stop()
  }
  const documents = await countDocuments(bed, deployment.database)
  const updates = await countCommitted(bed.services.env.KAFKA_BROKERS, deployment.status)
  const invalid = [
    ...doubts(window),
    ...mismatch('documents', documents, task.documents),
    ...mismatch('updates', updates.records, task.updates),
    ...mismatch('ids of updates', updates.ids, task.updates),
    ...mismatch('dead letters', await deadLetters(bed), before),
  ]
  return told(bed, {
    ...window,
    side,
    scenario: task.scenario,
    documents,
    updates: updates.records,
    peakMemory: memory,
    invalid,
  })
}

/** The peer over a topic, into a collection that has the index on the card, as ours has. */
export async function roundOfPeer(bed: Bed, task: Task, database: string): Promise<Round> {
  const { services, mongo } = bed
  await mongo.db(database).collection(COLLECTION).createIndex({ card: 1 })
  await bed.settle()
  const peer = await startPeer({
    ...{ directory: services.directory, brokers: services.env.KAFKA_BROKERS, mongodbUri: services.env.MONGODB_URI },
    ...{ mongo, topic: task.topic, database, name: `peer-${bed.next()}` },
  })
  let window: Window
  let memory: number
  try {
    window = await measureWindow({
      ...{ records: task.records, from: WINDOW_FROM, progress: peer.progress, timeoutMs: TIMEOUT_MS },
      ...{ watched: { peer: peer.pids, ...bed.pids }, what: `peer, ${task.scenario}` },
    })
    memory = Math.max(...peer.pids.map(peakMemory))
  } finally {
    await peer.stop()
  }
  const documents = await countDocuments(bed, database)
  const invalid = [...doubts(window), ...mismatch('documents', documents, task.documents)]
  return told(bed, { ...window, side: 'peer', scenario: task.scenario, documents, peakMemory: memory, invalid })
}

const countDocuments = ({ mongo }: Bed, database: string) =>
  mongo.db(database).collection(COLLECTION).countDocuments({})

/** Ingest then reads its topic from the beginning, as after an operator's reset; the lanes go on where they are. */
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

function doubts({ usage }: Window): string[] {
  if (usage.foreign <= MOST_FOREIGN) return []
  return [`others used ${Math.round(usage.foreign * 100)} % of a processor (load ${usage.load.toFixed(1)})`]
}

function told(bed: Bed, round: Round): Round {
  const micros = Object.entries(round.micros).map(([name, value]) => `${name} ${value.toFixed(1)}`)
  const doubt = round.invalid.length > 0 ? `  INVALID: ${round.invalid.join('; ')}` : ''
  bed.tell(
    `${round.scenario}, ${round.side}: ${Math.round(round.perSecond)} records/s, ${round.total.toFixed(1)} µs a record ` +
      `(${micros.join(', ')})${doubt}`,
  )
  return round
}
