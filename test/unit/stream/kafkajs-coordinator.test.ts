import { createRequire } from 'node:module'
import { afterEach, expect, jest, test } from '@jest/globals'
import '../../../src/stream/kafkajs-coordinator.ts'

const Cluster = createRequire(import.meta.url)('kafkajs/src/cluster/index.js')
const [GROUP, TRANSACTION] = [0, 1]
afterEach(() => {
  jest.restoreAllMocks()
})

/** A cluster in which `coordinator` coordinates all, and how often it was asked. */
function clusterOf(at: { coordinator: number }) {
  const asked: string[] = []
  const cluster = Object.assign(Object.create(Cluster.prototype), {
    retrier: (work: (bail: (error: Error) => void) => unknown) =>
      work((error) => {
        throw error
      }),
    async findGroupCoordinatorMetadata({ groupId }: { groupId: string }) {
      asked.push(groupId)
      return { coordinator: { nodeId: at.coordinator } }
    },
    findBroker: async ({ nodeId }: { nodeId: number }) => ({ nodeId }),
  })
  const find = (groupId: string, coordinatorType: number) => cluster.findGroupCoordinator({ groupId, coordinatorType })
  return { asked, find }
}

test('the coordinator of a transaction is asked for once, each id for itself', async () => {
  const { asked, find } = clusterOf({ coordinator: 1 })
  for (const id of ['lane:0', 'lane:0', 'lane:1', 'lane:0']) expect(await find(id, TRANSACTION)).toEqual({ nodeId: 1 })
  expect(asked).toEqual(['lane:0', 'lane:1'])
})

test('after a second it is asked for anew: it may have moved', async () => {
  const at = { coordinator: 1 }
  const { asked, find } = clusterOf(at)
  const now = jest.spyOn(performance, 'now').mockReturnValue(0)
  await find('lane:0', TRANSACTION)
  at.coordinator = 2
  now.mockReturnValue(999)
  expect(await find('lane:0', TRANSACTION)).toEqual({ nodeId: 1 })
  now.mockReturnValue(1_001)
  expect(await find('lane:0', TRANSACTION)).toEqual({ nodeId: 2 })
  expect(asked).toHaveLength(2)
})

test('that of a group is asked for each time, as kafkajs does', async () => {
  const { asked, find } = clusterOf({ coordinator: 1 })
  await find('group', GROUP)
  await find('group', GROUP)
  expect(asked).toEqual(['group', 'group'])
})
