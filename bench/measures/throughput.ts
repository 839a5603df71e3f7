import { eventEncoder } from '../avro.ts'
import type { Bed } from '../bed.ts'
import { discard, fill, newDeployment } from '../deployment.ts'
import type { BenchOptions, Measure } from '../options.ts'
import type { Deployment } from '../ours.ts'
import { countDoubted, type Line } from '../report.ts'
import { type Round, remarksOn, roundOfOurs, roundOfPeer, type Task } from '../round.ts'
import { ratios } from '../statistics.ts'
import { freshTraffic, mixedTraffic, newShape } from '../traffic.ts'

export const THROUGHPUT: Measure[] = ['speed', 'avro', 'replay', 'mixed']
const MOST_TRIES = 3
/** A broker that was just started spends three times as much on a record as after so many rounds. */
const WARMING = 4

/**
 * The sides over the same topics, taking turns. Each turn begins with an empty collection, fresh topics and a new group,
 * and goes on over the same documents: first all records are new, then all are read again, then comes a mixture.
 */
export async function throughput(bed: Bed, options: BenchOptions): Promise<Round[]> {
  const { records, rounds, measures, quick } = options
  const has = (measure: Measure) => measures.includes(measure)
  const besidePeer = has('speed') || has('replay') || has('mixed')
  const tasks = await besidePeerTasks(bed, options)
  const registry = bed.services.env.SCHEMA_REGISTRY_URL as string
  const encode = has('avro') && (await eventEncoder(registry, AVRO_TOPIC))
  const avroTask = encode && (await fill(bed, AVRO_TOPIC, 'new', freshTraffic(newShape(1), records), { encode }))
  const inAvro = { side: 'avro', env: { SCHEMA_REGISTRY_URL: registry } }
  const ours: Run = (deployment, task) => roundOfOurs(bed, task, deployment)
  bed.tell('First rounds that do not count: Java compiles what is hot in the broker')
  for (let round = 0; round < (quick ? 1 : WARMING); round++) await turn(bed, options, ours, tasks.slice(0, 1))
  const done: Round[] = []
  for (let round = 0; round < rounds; round++) {
    const peer: Run = ({ database }, task) => roundOfPeer(bed, task, database)
    const avro: Run = (deployment, task) => roundOfOurs(bed, task, deployment, inAvro)
    done.push(...(await turn(bed, options, ours, tasks)))
    if (besidePeer) done.push(...(await turn(bed, options, peer, tasks)))
    if (avroTask) done.push(...(await turn(bed, options, avro, [avroTask])))
  }
  return done
}

const AVRO_TOPIC = 'bench.events-avro'

async function besidePeerTasks(bed: Bed, { records, measures }: BenchOptions): Promise<Task[]> {
  const shape = newShape(1)
  const fresh = await fill(bed, 'bench.events', 'new', freshTraffic(shape, records))
  const tasks = [fresh]
  if (measures.includes('replay')) tasks.push({ ...fresh, scenario: 'replay' })
  if (measures.includes('mixed')) {
    tasks.push(await fill(bed, 'bench.events-mixed', 'mixed', mixedTraffic(shape, records, records)))
  }
  return tasks
}

type Run = (deployment: Deployment, task: Task) => Promise<Round>

/** One side through all tasks, on one collection that is gone afterwards. */
async function turn(bed: Bed, { strict }: BenchOptions, run: Run, tasks: Task[]): Promise<Round[]> {
  for (let tries = 1; ; tries++) {
    const deployment = newDeployment(bed)
    const done: Round[] = []
    for (const task of tasks) done.push(await run(deployment, task))
    await discard(bed, deployment)
    const doubted = done.find(({ doubts, errors }) => doubts.length + errors.length > 0)
    if (!strict || doubted === undefined) return done
    if (tries === MOST_TRIES) throw new Error(`${MOST_TRIES} tries were not valid: ${remarksOn(doubted)}`)
    bed.tell('Once more, because of --strict')
  }
}

const of = (rounds: Round[], scenario: string, side: string) =>
  rounds.filter((round) => round.scenario === scenario && round.side === side)
const perSecond = (round: Round) => round.perSecond
const total = (round: Round) => round.total

export function throughputLines(rounds: Round[]): Line[] {
  const lines: Line[] = []
  const add = (measure: string, compared: Compared, must: number, aim: number, better: Line['better'] = 'higher') => {
    const { figure, scenario, side = 'ours', beside = 'peer' } = compared
    const [above, below] = [of(rounds, scenario, side), of(rounds, scenario, beside)]
    if (above.length === 0 || below.length === 0) return
    const value = ratios(above.map(figure), below.map(figure))
    lines.push({ measure, unit: '', value, must, aim, better, doubted: countDoubted([...above, ...below]) })
  }
  const figure = perSecond
  add('records/s to documents and updates ÷ the peer’s, to documents', { figure, scenario: 'new' }, 2, 3)
  add('total processor time a record ÷ the peer’s', { figure: total, scenario: 'new' }, 0.4, 0.25, 'lower')
  add('Avro in and out ÷ our JSON, records/s', { figure, scenario: 'new', side: 'avro', beside: 'ours' }, 0.9, 1)
  add('all ids exist (replay) ÷ the peer’s, records/s', { figure, scenario: 'replay' }, 1, 2)
  add('20 % of ids exist, records late and repeated ÷ the peer’s, records/s', { figure, scenario: 'mixed' }, 1.5, 2.5)
  return lines
}

interface Compared {
  figure: (round: Round) => number
  scenario: string
  side?: string
  beside?: string
}
