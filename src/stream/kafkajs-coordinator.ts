/**
 * kafkajs 2.2.4 asks who coordinates a transaction before each of its two requests to the coordinator: two of five round
 * trips. Here the answer counts for a second. Where the coordinator moves within it, the end of the
 * transaction fails, as it does when it moves a moment later.
 *
 * And where it is not told who coordinates because the right to a group or a transactional id is missing, kafkajs says that
 * there is no coordinator: here it is said what is missing.
 */
import { createRequire } from 'node:module'
import { NotAllowedError } from './denied.ts'
import { saysKafka } from './errors.ts'

interface Wanted {
  groupId: string
  coordinatorType?: number
}
interface Broker {
  nodeId: number
}
type Ask = (at: unknown) => Promise<unknown>
interface Cluster {
  brokerPool: { withBroker(ask: Ask): Promise<unknown> }
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

const findMetadata: (this: Cluster, wanted: Wanted) => Promise<unknown> = Cluster.prototype.findGroupCoordinatorMetadata

Cluster.prototype.findGroupCoordinatorMetadata = async function (this: Cluster, wanted: Wanted): Promise<unknown> {
  let denied: unknown
  const withBroker = (ask: Ask) =>
    this.brokerPool.withBroker(async (at) => {
      try {
        return await ask(at)
      } catch (error) {
        if (saysKafka(error, ...NOT_ALLOWED)) denied = error
        throw error
      }
    })
  // kafkajs asks one broker after the other, and forgets what they said.
  const attentive: Cluster = Object.create(this, { brokerPool: { value: { withBroker } } })
  try {
    return await findMetadata.call(attentive, wanted)
  } catch (error) {
    if (denied === undefined) throw error
    const names = [wanted.groupId]
    throw wanted.coordinatorType === TRANSACTION
      ? new NotAllowedError({ operation: 'Write', on: 'transactional-id', names }, denied)
      : new NotAllowedError({ operation: 'Read', on: 'group', names }, denied)
  }
}

const NOT_ALLOWED = ['GROUP_AUTHORIZATION_FAILED', 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED']
