import type { FaultRun, Scenario } from './run.ts'

const RECORDS = 3_000
const PER_SECOND = 150

/** One processor, then two more, then again one, while records keep coming. */
async function comeAndGo(run: FaultRun): Promise<void> {
  const { fleet, random } = run
  await run.send(1_000)
  const traffic = run.send(RECORDS, { rate: PER_SECOND })
  await fleet.start()
  await Promise.all([fleet.start(), fleet.start()])
  for (let leaving = 2; leaving > 0; leaving--) {
    await fleet.end(random.int(0, fleet.members.length - 1), random.chance(0.75) ? 'stop' : 'kill9')
    run.count('left')
  }
  await traffic
}

/** A new release: each of two processors ends in good order after its successor is ready. */
async function rollingRestart(run: FaultRun): Promise<void> {
  const { fleet } = run
  await run.send(1_000)
  await Promise.all([fleet.start(), fleet.start()])
  const traffic = run.send(RECORDS, { rate: PER_SECOND })
  for (let old = 2; old > 0; old--) {
    await fleet.start()
    await fleet.end(0, 'stop')
    run.count('restarted')
  }
  await traffic
}

export const scenarios: Scenario[] = [
  { name: 'processors come and go under load, 1 to 3 to 1', play: comeAndGo },
  // Much as the one before.
  { name: 'a rolling restart under load', play: rollingRestart, long: true },
]
