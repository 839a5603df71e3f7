import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '../../local/build.ts'
import type { Bed } from '../bed.ts'
import { type Chart, svgOf } from '../chart.ts'
import { deleteTopics, discard, fill, newDeployment } from '../deployment.ts'
import { makeCompacted, makeInput } from '../kafka.ts'
import type { BenchOptions, Plot } from '../options.ts'
import type { Deployment } from '../ours.ts'
import { type Round, roundOfOurs, roundOfPeer, type Task } from '../round.ts'
import { spread } from '../statistics.ts'
import { freshTraffic, newShape, partlyExisting } from '../traffic.ts'

const PICTURES = join(ROOT, 'docs', 'explanation', 'pictures')
const PARTITIONS = [1, 3, 6, 12, 24]
const BYTES = [500, 1_000, 2_000, 4_000]
const SHARES = [0, 0.25, 0.5, 0.75, 1]
const PROCESSES = [1, 2, 4]

/** Rounds of both sides, by the setting that they were done with. */
interface Point {
  at: string
  rounds: Round[]
}

type Repeat = Pick<BenchOptions, 'records' | 'rounds'>

const DRAWN: Record<Plot, { title: string; axis: string; points: (bed: Bed, repeat: Repeat) => Promise<Point[]> }> = {
  partitions: { title: 'By partitions', axis: 'partitions of each topic', points: byPartitions },
  size: { title: 'By size of a record', axis: 'bytes of a record', points: bySize },
  existing: { title: 'By share of existing ids', axis: 'share of ids that exist already', points: byShare },
  processes: { title: 'By processes, on one machine', axis: 'processes of ours', points: byProcesses },
}

/** Draws `docs/explanation/pictures/speed-*.svg` anew and gives the rounds that they stand on. */
export async function plots(bed: Bed, options: BenchOptions): Promise<Round[]> {
  const all: Round[] = []
  await mkdir(PICTURES, { recursive: true })
  for (const name of options.plots) {
    const { title, axis, points } = DRAWN[name]
    const drawn = await points(bed, options)
    await writeFile(join(PICTURES, `speed-${name}.svg`), svgOf(chartOf(title, axis, drawn)))
    bed.tell(`docs/explanation/pictures/speed-${name}.svg is drawn`)
    all.push(...drawn.flatMap(({ rounds }) => rounds))
  }
  return all
}

async function byPartitions(bed: Bed, { records, rounds }: Repeat): Promise<Point[]> {
  const points: Point[] = []
  for (const partitions of PARTITIONS) {
    const topic = `bench.events-${bed.next()}`
    const scenario = `${partitions} partitions`
    const task = await fill(bed, topic, scenario, freshTraffic(newShape(21), records), { partitions })
    points.push({ at: String(partitions), rounds: await bothSides(bed, task, rounds, partitions) })
    await deleteTopics(bed.cluster, [topic])
  }
  return points
}

async function bySize(bed: Bed, { records, rounds }: Repeat): Promise<Point[]> {
  const points: Point[] = []
  for (const bytes of BYTES) {
    const topic = `bench.events-${bed.next()}`
    const task = await fill(bed, topic, `${bytes} bytes`, freshTraffic(newShape(22, bytes), records))
    points.push({ at: String(bytes), rounds: await bothSides(bed, task, rounds) })
    await deleteTopics(bed.cluster, [topic])
  }
  return points
}

/** Each share over the documents that those before it left. */
async function byShare(bed: Bed, { records, rounds }: Repeat): Promise<Point[]> {
  const shape = newShape(23)
  const fresh = freshTraffic(shape, records)
  const tasks: Task[] = []
  let there = 0
  for (const [index, share] of SHARES.entries()) {
    const traffic = share === 0 ? fresh : partlyExisting(shape, records, records, share, index)
    const scenario = `${share * 100} % exist`
    const task = await fill(bed, `bench.events-${bed.next()}`, scenario, traffic)
    there += share === 0 ? records : traffic.documents - records
    tasks.push({ ...task, documents: there, updates: there })
  }
  const points = SHARES.map((share): Point => ({ at: `${share * 100} %`, rounds: [] }))
  const each = async (run: (task: Task) => Promise<Round>) => {
    for (const [index, task] of tasks.entries()) points[index]?.rounds.push(await run(task))
  }
  for (let round = 0; round < rounds; round++) {
    const deployment = newDeployment(bed)
    await each((task) => roundOfOurs(bed, task, deployment))
    await discard(bed, deployment)
    const peers = newDeployment(bed)
    await each((task) => roundOfPeer(bed, task, peers.database))
    await discard(bed, peers)
  }
  const topics = tasks.map(({ topic }) => topic)
  await deleteTopics(bed.cluster, topics)
  return points
}

async function byProcesses(bed: Bed, { records, rounds }: Repeat): Promise<Point[]> {
  const topic = `bench.events-${bed.next()}`
  const task = await fill(bed, topic, 'processes', freshTraffic(newShape(24), records))
  const points = PROCESSES.map((processes): Point => ({ at: String(processes), rounds: [] }))
  for (let round = 0; round < rounds; round++) {
    for (const [index, processes] of PROCESSES.entries()) {
      const scenario = `${processes} processes`
      points[index]?.rounds.push(await ours(bed, { ...task, scenario }, newDeployment(bed), processes))
    }
  }
  await deleteTopics(bed.cluster, [topic])
  return points
}

async function bothSides(bed: Bed, task: Task, rounds: number, partitions?: number): Promise<Round[]> {
  const done: Round[] = []
  for (let round = 0; round < rounds; round++) {
    const deployment = newDeployment(bed)
    if (partitions !== undefined) await makeLanes(bed, deployment, partitions)
    done.push(await ours(bed, task, deployment, 1))
    const peers = newDeployment(bed)
    done.push(await roundOfPeer(bed, task, peers.database))
    await discard(bed, peers)
  }
  return done
}

async function ours(bed: Bed, task: Task, deployment: Deployment, processes: number): Promise<Round> {
  const round = await roundOfOurs(bed, task, deployment, { processes })
  await discard(bed, deployment)
  return round
}

/** Topics of ours with another number of partitions than the program makes by itself. */
async function makeLanes({ cluster }: Bed, { observations, status }: Deployment, partitions: number): Promise<void> {
  await makeInput(cluster, observations, partitions)
  await makeCompacted(cluster, status, partitions)
}

const OURS = '#1f6feb'
const PEER = '#bc4c00'

function chartOf(title: string, axis: string, points: Point[]): Chart {
  const medians = (side: string, figure: (round: Round) => number) =>
    points.map(({ rounds }) => {
      const values = rounds
        .filter((round) => round.side === side)
        .map(figure)
        .filter(Number.isFinite)
      return values.length === 0 ? null : spread(values).median
    })
  const series = (figure: (round: Round) => number) =>
    [
      { name: 'ours', colour: OURS, values: medians('ours', figure) },
      { name: 'peer', colour: PEER, values: medians('peer', figure) },
    ].filter(({ values }) => values.some((value) => value !== null))
  return {
    title,
    axis,
    at: points.map(({ at }) => at),
    panels: [
      { title: 'records/s', series: series((round) => round.perSecond) },
      { title: 'processor µs a record, all processes', series: series((round) => round.total) },
    ],
  }
}
