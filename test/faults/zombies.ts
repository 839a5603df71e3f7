import { setTimeout as delay } from 'node:timers/promises'
import { total } from '../../local/scrape.ts'
import { until } from '../../local/until.ts'
import type { Processor } from '../support/processor.ts'
import { atPoint, POINT_NAMES, type PointName } from './points.ts'
import type { FaultRun, Scenario } from './run.ts'

const RECORDS = 1_500
const PER_SECOND = 150
const PATIENCE_MS = 90_000
/** A fenced lane leaves the group once; more often, and two would be taking the partition from each other. */
const MOST_FENCED = 2
const MOST_REBALANCES = 8

type Freeze = (run: FaultRun) => Promise<Processor>

/**
 * A processor is frozen until its sessions have ended and another owns all it had; then it wakes in the middle of what
 * it was doing. It must change nothing, leave the owner in peace, and become a good member again.
 */
async function takenOver(run: FaultRun, freeze: Freeze): Promise<void> {
  const { fleet, random } = run
  await run.send(RECORDS)
  const zombie = await freeze(run)
  const heir = await fleet.start()
  await ownsAll(run, heir)
  const traffic = run.send(RECORDS, { rate: PER_SECOND })
  await delay(random.int(500, 4_000))
  zombie.signal('SIGCONT')
  await areGoodMembers(run, [zombie, heir])
  await traffic
  await run.progress.caughtUp(PATIENCE_MS)
  for (const processor of [zombie, heir]) await isCalm(processor)
  run.count('zombies')
}

async function atRandomMoment({ fleet, workedOff, random }: FaultRun): Promise<Processor> {
  const zombie = await fleet.start({ CHUNK_RECORDS: '20' })
  await workedOff(random.next() * 0.5)
  zombie.signal('SIGSTOP')
  return zombie
}

const at =
  (points: readonly [PointName, ...PointName[]]): Freeze =>
  async ({ fleet, random, say }) => {
    const point = random.pick(points)
    const zombie = fleet.launch(atPoint(point, 'freeze'))
    await until(() => zombie.isFrozen(), { timeoutMs: PATIENCE_MS, what: `a processor freezes ${point}` })
    say(`frozen ${point}`)
    return zombie
  }

/** Nobody else is a member any more. */
async function ownsAll({ progress }: FaultRun, owner: Processor): Promise<void> {
  const isAlone = async () => {
    const members = await progress.members()
    return members.length === 2 && members.every(({ clientId }) => clientId === owner.clientId)
  }
  await until(isAlone, { timeoutMs: PATIENCE_MS, what: 'one processor owns all partitions', everyMs: 200 })
}

/** Each is in both groups, owns input partitions, and is ready. */
async function areGoodMembers({ progress }: FaultRun, processors: Processor[]): Promise<void> {
  const areGood = async () => {
    const members = await progress.members()
    for (const { clientId, answers } of processors) {
      const own = members.filter((member) => member.clientId === clientId)
      const partitions = own.find(({ groupId }) => groupId.endsWith('-ingest'))?.partitions ?? 0
      if (own.length !== 2 || partitions === 0 || (await answers('/readyz')) !== 200) return false
    }
    return true
  }
  await until(areGood, { timeoutMs: PATIENCE_MS, what: 'all processors are good members', everyMs: 500 }).catch(
    (error) => {
      throw new Error([error.message, ...processors.map((processor) => processor.log().slice(-3_000))].join('\n'))
    },
  )
}

async function isCalm(processor: Processor): Promise<void> {
  const fenced = processor.log().split('fenced: leaving the group').length - 1
  const rebalances = total(await processor.metrics(), 'pm_rebalances_total')
  if (fenced <= MOST_FENCED && rebalances <= MOST_REBALANCES && !processor.hasEnded()) return
  throw new Error(
    `${processor.clientId} was fenced ${fenced} times and joined ${rebalances} times, or ended:\n${processor.log()}`,
  )
}

export const scenarios: Scenario[] = [
  {
    name: 'a processor frozen at a random moment wakes as a zombie',
    long: true,
    play: (run) => takenOver(run, atRandomMoment),
  },
  {
    name: 'a processor frozen with an open transaction wakes as a zombie',
    play: (run) => takenOver(run, at(['before the transaction ends'])),
  },
  {
    name: 'a processor frozen between two steps wakes as a zombie',
    long: true,
    // What is left out needs a status topic that already holds something.
    play: (run) => takenOver(run, at(POINT_NAMES.slice(0, -1) as [PointName, ...PointName[]])),
  },
]
