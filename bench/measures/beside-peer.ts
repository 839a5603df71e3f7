import type { Bed } from '../bed.ts'
import { makeInput, produce } from '../kafka.ts'
import type { BenchOptions, Measure } from '../options.ts'
import type { Deployment } from '../ours.ts'
import type { Line } from '../report.ts'
import { type Round, roundOfOurs, roundOfPeer, type Task } from '../round.ts'
import { ratios } from '../statistics.ts'
import { freshTraffic, mixedTraffic, newShape, type Traffic } from '../traffic.ts'

/**
 * Both sides over the same topics, taking turns. Each turn begins with an empty collection, fresh topics and a new group,
 * and goes on over the same documents: first all records are new, then all are read again, then comes a mixture.
 */
export async function besidePeer(bed: Bed, options: BenchOptions): Promise<Round[]> {
  const { records, rounds, measures } = options
  const has = (measure: Measure) => measures.includes(measure)
  const shape = newShape(1)
  const fresh = await fill(bed, 'bench.events', 'new', freshTraffic(shape, records))
  const tasks = [fresh]
  if (has('replay')) tasks.push({ ...fresh, scenario: 'replay' })
  if (has('mixed')) tasks.push(await fill(bed, 'bench.events-mixed', 'mixed', mixedTraffic(shape, records, records)))
  const done: Round[] = []
  for (let round = 0; round < rounds; round++) {
    done.push(...(await turn(bed, options, (deployment, task) => roundOfOurs(bed, task, deployment), tasks)))
    done.push(...(await turn(bed, options, ({ database }, task) => roundOfPeer(bed, task, database), tasks)))
  }
  return done
}

const PARTITIONS = 12

/** Makes a topic of this traffic and gives what there is to do with it. */
export async function fill(
  bed: Bed,
  topic: string,
  scenario: string,
  traffic: Traffic,
  partitions = PARTITIONS,
): Promise<Task> {
  await makeInput(bed.cluster, topic, partitions)
  await produce(bed.cluster, topic, partitions, traffic.records)
  return { scenario, topic, records: traffic.count, documents: traffic.documents, updates: traffic.updates }
}

/** Names that nobody has used. */
export function newDeployment(bed: Bed): Deployment {
  const number = bed.next()
  return {
    events: '',
    group: `ours-${number}`,
    observations: `bench.observations-${number}`,
    status: `bench.status-${number}`,
    database: `bench-${number}`,
  }
}

type Run = (deployment: Deployment, task: Task) => Promise<Round>

/** One side through all tasks, on one collection that is gone afterwards. */
async function turn(bed: Bed, options: BenchOptions, run: Run, tasks: Task[]): Promise<Round[]> {
  for (let tries = 1; ; tries++) {
    const deployment = newDeployment(bed)
    const done: Round[] = []
    for (const task of tasks) done.push(await run(deployment, task))
    await discard(bed, deployment)
    const doubted = done.filter(({ invalid }) => invalid.length > 0)
    if (!options.strict || doubted.length === 0) return done
    if (tries === MOST_TRIES) throw new Error(`${MOST_TRIES} rounds were not valid: ${doubted[0]?.invalid.join('; ')}`)
    bed.tell('Once more, because of --strict')
  }
}

const MOST_TRIES = 3

export async function discard({ mongo, cluster }: Bed, { database, observations, status }: Deployment): Promise<void> {
  await mongo.db(database).dropDatabase()
  const existing = await cluster.admin.listTopics()
  const topics = [observations, status].filter((topic) => existing.includes(topic))
  if (topics.length > 0) await cluster.admin.deleteTopics({ topics })
}

/** Of rounds by scenario and side. */
export const of = (rounds: Round[], scenario: string, side: string) =>
  rounds.filter((round) => round.scenario === scenario && round.side === side)

export function linesBesidePeer(rounds: Round[]): Line[] {
  const rate = (scenario: string) =>
    ratios(of(rounds, scenario, 'ours').map(perSecond), of(rounds, scenario, 'peer').map(perSecond))
  const cost = ratios(of(rounds, 'new', 'ours').map(total), of(rounds, 'new', 'peer').map(total))
  const has = (scenario: string) => of(rounds, scenario, 'peer').length > 0
  const line = (measure: string, value: Line['value'], must: number, aim: number, better: Line['better'] = 'higher') =>
    ({ measure, unit: '', value, must, aim, better }) as const
  return [
    ...(has('new') ? [line('records/s ÷ the peer’s', rate('new'), 2, 3)] : []),
    ...(has('new') ? [line('processor time a record ÷ the peer’s', cost, 0.4, 0.25, 'lower')] : []),
    ...(has('replay') ? [line('all ids exist: records/s ÷ the peer’s', rate('replay'), 1, 2)] : []),
    ...(has('mixed')
      ? [line('20 % of ids exist, late, repeated: records/s ÷ the peer’s', rate('mixed'), 1.5, 2.5)]
      : []),
  ]
}

const perSecond = (round: Round) => round.perSecond
const total = (round: Round) => round.total
