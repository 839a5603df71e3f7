import type { Bed } from './bed.ts'
import type { Encode } from './kafka.ts'
import { makeInput, produce } from './kafka.ts'
import type { Deployment } from './ours.ts'
import type { Task } from './round.ts'
import type { Traffic } from './traffic.ts'

export const PARTITIONS = 12

/** How a topic is made and filled; 12 partitions of JSON when nothing else is said. */
export interface Filling {
  partitions?: number
  encode?: Encode
}

/** Makes a topic of this traffic and gives what there is to do with it. */
export async function fill(
  { cluster, tell }: Bed,
  topic: string,
  scenario: string,
  traffic: Traffic,
  { partitions = PARTITIONS, encode }: Filling = {},
): Promise<Task> {
  const began = Date.now()
  await makeInput(cluster, topic, partitions)
  await produce(cluster, topic, partitions, traffic.records, encode)
  tell(`${topic}: ${traffic.count} records produced in ${((Date.now() - began) / 1e3).toFixed(1)} s`)
  return { scenario, topic, records: traffic.count, documents: traffic.documents, updates: traffic.updates }
}

/** Names that nobody has used. */
export function newDeployment({ next, program }: Bed): Deployment {
  const number = next()
  return {
    group: `ours-${number}`,
    observations: `bench.observations-${number}`,
    status: `bench.status-${number}`,
    database: `bench-${number}`,
    stateDirectory: `${program.directory}/state-${number}`,
  }
}

/** Gives back the room that it took. */
export async function discard({ mongo, cluster }: Bed, { database, observations, status }: Deployment): Promise<void> {
  await mongo.db(database).dropDatabase()
  await deleteTopics(cluster, [observations, status])
}

export async function deleteTopics({ admin }: Bed['cluster'], topics: string[]): Promise<void> {
  const existing = await admin.listTopics()
  const there = topics.filter((topic) => existing.includes(topic))
  if (there.length > 0) await admin.deleteTopics({ topics: there })
}
