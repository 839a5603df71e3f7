/**
 * kafkajs 2.2.4 asks who coordinates a transaction before each of its two requests to the coordinator: two of five round
 * trips. Here the answer counts for a second. Where the coordinator moves within it, the end of the
 * transaction fails, as it does when it moves a moment later.
 */
import { createRequire } from 'node:module'

interface Wanted {
  groupId: string
  coordinatorType?: number
}
interface Broker {
  nodeId: number
}
interface Cluster {
  findBroker(at: { nodeId: number }): Promise<Broker>
}

const TRANSACTION = 1
const COUNTS_MS = 1_000

const Cluster = createRequire(import.meta.url)('kafkajs/src/cluster/index.js')
const find: (this: Cluster, wanted: Wanted) => Promise<Broker> = Cluster.prototype.findGroupCoordinator
const known = new WeakMap<Cluster, Map<string, { nodeId: number; until: number }>>()

Cluster.prototype.findGroupCoordinator = async function (this: Cluster, wanted: Wanted): Promise<Broker> {
  if (wanted.coordinatorType !== TRANSACTION) return find.call(this, wanted)
  const coordinators = known.get(this) ?? new Map()
  known.set(this, coordinators)
  const last = coordinators.get(wanted.groupId)
  if (last && performance.now() < last.until) {
    const broker = await this.findBroker(last).catch(() => null)
    if (broker) return broker
  }
  const broker = await find.call(this, wanted)
  coordinators.set(wanted.groupId, { nodeId: broker.nodeId, until: performance.now() + COUNTS_MS })
  return broker
}
