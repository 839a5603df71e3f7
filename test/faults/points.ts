/** What a point waits for: a request, before it goes out or when its answer has come. */
export interface Point {
  when: 'before' | 'after'
  /** Kafka's number of the request, or the names of MongoDB's commands. */
  request: number | readonly string[]
  /** The setting whose value stands in the request, with what follows it there. */
  names: readonly [setting: string, suffix?: string]
  /** Of EndTxn: only a commit, no abort. */
  commits?: true
}

const [PRODUCE, FETCH, OFFSET_COMMIT, INIT_PRODUCER_ID, END_TXN] = [0, 1, 8, 22, 26]
const WRITES = ['insert', 'update', 'bulkWrite', 'findAndModify'] as const

/** The moments between two steps of the two walks, as they are seen on the wire: whatever the code is, it passes them. */
export const POINTS = {
  'after the documents': { when: 'after', request: WRITES, names: ['MONGODB_COLLECTION'] },
  'after the observations': { when: 'after', request: PRODUCE, names: ['OBSERVATIONS_TOPIC'] },
  'before the offset of ingest': { when: 'before', request: OFFSET_COMMIT, names: ['KAFKA_GROUP_ID', '-ingest'] },
  'after the offset of ingest': { when: 'after', request: OFFSET_COMMIT, names: ['KAFKA_GROUP_ID', '-ingest'] },
  'before the transaction ends': { when: 'before', request: END_TXN, names: ['STATUS_TOPIC', ':'], commits: true },
  'after the transaction': { when: 'after', request: END_TXN, names: ['STATUS_TOPIC', ':'], commits: true },
  'before the offset of status': { when: 'before', request: OFFSET_COMMIT, names: ['KAFKA_GROUP_ID', '-status'] },
  'after the offset of status': { when: 'after', request: OFFSET_COMMIT, names: ['KAFKA_GROUP_ID', '-status'] },
  'after the fence': { when: 'after', request: INIT_PRODUCER_ID, names: ['STATUS_TOPIC', ':'] },
  'during the restore': { when: 'after', request: FETCH, names: ['STATUS_TOPIC'] },
} as const satisfies Record<string, Point>

export type PointName = keyof typeof POINTS

export const POINT_NAMES = Object.keys(POINTS) as [PointName, ...PointName[]]

/**
 * What happens there: `kill` and `freeze` signal the processor itself (SIGKILL, SIGSTOP), `lose` closes the connection in
 * place of giving the answer, or in place of sending.
 */
export type Act = 'kill' | 'freeze' | 'lose'

/** Settings that make a processor act when it passes a point for the n-th time. The product knows nothing of it. */
export function atPoint(point: PointName, act: Act, passage = 1): Record<string, string> {
  return {
    NODE_OPTIONS: `--import=${new URL('./at-point.ts', import.meta.url)}`,
    AT_POINT: point,
    AT_PASSAGE: String(passage),
    AT_ACT: act,
  }
}
