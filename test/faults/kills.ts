import { setTimeout as delay } from 'node:timers/promises'
import type { FaultRun, Scenario } from './run.ts'

const RECORDS = 3_000
const KILLS = 4

/** `kill -9` again and again while records are worked off, each time with another chunk size after it. */
async function atRandomMoments(run: FaultRun): Promise<void> {
  const { fleet, random, send } = run
  await send(RECORDS)
  for (let left = KILLS; left > 0; left--) {
    const processor = fleet.launch()
    // From its first line of code, over joining and restoring, to the middle of the work.
    if (random.chance(0.3)) await delay(random.int(200, 4_000))
    else await run.workedOff(random.next() / left)
    await fleet.end(processor, 'kill9')
    run.count('kills')
  }
}

export const scenarios: Scenario[] = [{ name: 'kill -9 at random moments', play: atRandomMoments }]
