import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Cluster } from '../../local/cluster.ts'
import { until } from '../../local/until.ts'
import { createRandom, type Random } from '../../src/simulate/random.ts'
import { compareRun, type Report } from '../support/compare.ts'
import { createFleet, type Fleet } from '../support/fleet.ts'
import { leaveGroup } from '../support/leave-group.ts'
import type { Processor } from '../support/processor.ts'
import { produce } from '../support/produce.ts'
import { type Progress, watchProgress } from '../support/progress.ts'
import { newRunNames, type RunNames } from '../support/run-names.ts'
import { makeTopics } from '../support/run-topics.ts'
import { dropDatabase, simulate, TOKEN_KEY } from '../support/run-traffic.ts'

/** Something that may happen to the program and that nobody may be able to tell from its output. */
export interface Scenario {
  /** As tests, the soak and reports name it: plain words. */
  name: string
  /** Takes too long for the suite: only the soak plays it. */
  long?: true
  /** Sends records and disturbs while they are worked off. What it leaves broken is healed after it. */
  play(run: FaultRun): Promise<void>
}

/** What a scenario plays with. Every draw and all traffic come from the seed of the run. */
export interface FaultRun {
  readonly cluster: Cluster
  readonly names: RunNames
  /** Settings of a processor, without CHUNK_RECORDS. */
  readonly env: Record<string, string>
  readonly random: Random
  /** Processors; their chunk sizes are drawn. One that still lives at the end finishes the work. */
  readonly fleet: Fleet
  readonly progress: Progress
  readonly inputPartitions: number
  /** Sends so many records of simulated traffic; each call sends other ones. @param more options of `simulate` */
  send(records: number, more?: Record<string, string | number>): Promise<void>
  /** Sends records of one's own, in this order within a partition, to the topic of events or of responses. */
  produce(to: 'events' | 'responses', records: readonly OwnRecord[]): Promise<void>
  /** Tells Kafka that a processor that was killed has left, so that others need not wait for its sessions to end. */
  bury(dead: Processor): Promise<void>
  /** Resolves when this share of the records that are left now is done, and a moment more. */
  workedOff(share: number): Promise<void>
  /** Counts what the run tells at its end, such as kills. */
  count(what: string, by?: number): void
  say(line: string): void
}

export interface OwnRecord {
  partition: number
  key: string | null
  value: string | Buffer | null
}

/** What must be 0. */
export interface Verdict {
  lost: number
  duplicated: number
  wrongPreviousStatus: number
  orderBroken: number
  revisionGaps: number
  documentsThatDiffer: number
  /** Anything else that is not as the model says. */
  otherwiseWrong: number
}

export interface Outcome {
  records: number
  updates: number
  seconds: number
  verdict: Verdict
  /** What the scenario counted. */
  counts: Record<string, number>
  report: Report
}

const CHUNK_RECORDS = [20, 100, 500, 1000, 2000] as const
const PATIENCE_MS = 240_000

/** Plays a scenario on topics, groups and a database of its own, heals the cluster, and judges what came out. */
export async function playScenario(
  cluster: Cluster,
  scenario: Scenario,
  { seed, say = () => undefined }: { seed: string; say?: (line: string) => void },
): Promise<Outcome> {
  const began = performance.now()
  const names = newRunNames('fault')
  const brokers = cluster.env.KAFKA_BROKERS
  const random = createRandom(`${seed}, ${scenario.name}`)
  const inputPartitions = random.pick([1, 2, 3, 5])
  await makeTopics(brokers, names, { inputPartitions, lanes: random.pick([1, 2, 4]) })
  const env = { ...cluster.env, ...names, CARD_TOKEN_KEY: TOKEN_KEY }
  const counts: Record<string, number> = {}
  await using progress = await watchProgress(brokers, names)
  let sends = 0
  const stateDir = join(cluster.directory, names.KAFKA_GROUP_ID)
  const placeOf = placesOf(random.pick(HEADS), stateDir, say)
  try {
    await using fleet = createFleet(env, CHUNK_RECORDS, random, placeOf)
    await scenario.play({
      ...{ cluster, names, env, random, fleet, progress, inputPartitions, say },
      send: (events, more) =>
        simulate(cluster.env, names, { events, seed: `${seed}, ${++sends}`, encoding: 'mixed' }, more),
      produce: (to, records) =>
        produce(brokers, to === 'events' ? names.EVENTS_TOPICS : names.RESPONSES_TOPICS, records),
      bury: (dead) => bury(brokers, progress, dead),
      workedOff: (share) => workedOff(progress, fleet, share, random),
      count: (what, by = 1) => {
        counts[what] = (counts[what] ?? 0) + by
      },
    })
    await finish(cluster, fleet, progress)
    const report = await compareRun(cluster.env, names, TOKEN_KEY)
    const seconds = (performance.now() - began) / 1000
    const { records = 0, updates = 0 } = report.figures
    return { records, updates, seconds, verdict: verdictOf(report.differences), counts, report }
  } finally {
    await cluster.heal()
    await progress.cleanUp()
    await dropDatabase(cluster.env, names)
    await rm(stateDir, { recursive: true, force: true })
  }
}

/** Where a run keeps the heads of sessions: in memory, on a disk of each processor, or on one disk of all. */
const HEADS = ['in memory', 'on disk', 'on one disk'] as const

function placesOf(heads: (typeof HEADS)[number], stateDir: string, say: (line: string) => void) {
  say(`heads ${heads}`)
  return (place: number): Record<string, string> => {
    if (heads === 'in memory') return {}
    return { STATE_DIR: heads === 'on disk' ? join(stateDir, String(place)) : stateDir }
  }
}

async function bury(brokers: string, progress: Progress, { clientId }: Processor): Promise<void> {
  for (const member of await progress.members()) {
    if (member.clientId === clientId) await leaveGroup(brokers, member.groupId, member.memberId)
  }
}

/** @throws with its log when the last processor has ended by itself */
async function workedOff(progress: Progress, fleet: Fleet, share: number, random: Random): Promise<void> {
  const aim = (await progress.left()) * (1 - share)
  const allEnded = () => fleet.members.every((member) => member.hasEnded())
  const isDone = async () => allEnded() || (await progress.left()) <= aim
  await until(isDone, { timeoutMs: PATIENCE_MS, what: 'the processors work on', everyMs: 50 })
  if (allEnded()) throw new Error(`All processors ended by themselves:\n${logsOf(fleet)}`)
  await delay(random.int(0, 250))
}

const logsOf = ({ members }: Fleet) => members.map((member) => member.log().slice(-4_000)).join('\n\n')

/** Heals, has everything worked off and committed, and ends all processors in good order. */
async function finish(cluster: Cluster, fleet: Fleet, progress: Progress): Promise<void> {
  await cluster.heal()
  fleet.bury()
  if (fleet.members.length === 0) await fleet.start()
  await progress.caughtUp(PATIENCE_MS).catch((error) => {
    throw new Error(`${error.message}\n${logsOf(fleet)}`)
  })
  while (fleet.members.length > 0) await fleet.end(0, 'stop')
}

type Part = Exclude<keyof Verdict, 'otherwiseWrong'>

const PARTS: Record<string, Part> = {
  'updates lost': 'lost',
  'documents missing': 'lost',
  'dead letters missing': 'lost',
  'updates duplicated': 'duplicated',
  'updates with a wrong previous status': 'wrongPreviousStatus',
  'updates out of order': 'orderBroken',
  'keys with a wrong sequence': 'orderBroken',
  'updates with a wrong revision': 'revisionGaps',
  'documents too many': 'documentsThatDiffer',
  'documents that differ': 'documentsThatDiffer',
}

function verdictOf(differences: Record<string, number>): Verdict {
  const verdict: Verdict = {
    ...{ lost: 0, duplicated: 0, wrongPreviousStatus: 0, orderBroken: 0, revisionGaps: 0 },
    ...{ documentsThatDiffer: 0, otherwiseWrong: 0 },
  }
  for (const [sort, count] of Object.entries(differences)) verdict[PARTS[sort] ?? 'otherwiseWrong'] += count
  return verdict
}

/** Whether all is as the model says. */
export const isFlawless = ({ verdict }: Outcome): boolean => Object.values(verdict).every((count) => count === 0)
