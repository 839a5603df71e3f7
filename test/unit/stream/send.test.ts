import { createRequire } from 'node:module'
import { expect, test } from '@jest/globals'
import type { Producer } from 'kafkajs'
import { type PartitionMessage, sendAll } from '../../../src/stream/send.ts'

const require = createRequire(import.meta.url)
const createSendMessages = require('kafkajs/src/producer/sendMessages.js')
const createEosManager = require('kafkajs/src/producer/eosManager/index.js')
const createRetry = require('kafkajs/src/retry/index.js')
const { createErrorFromCode } = require('kafkajs/src/protocol/error.js')

const NOT_LEADER = 6
const TOPIC = 'to'
const silent = { error() {}, warn() {}, info() {}, debug() {} }

interface Part {
  partition: number
  messages: PartitionMessage[]
  firstSequence: number
}

/** The producer of kafkajs, on brokers that keep what they are sent; `leaders` say of each partition which broker has it. */
function clusterOf(leaders: string[]) {
  /** By partition, each with the sequence number by which brokers know a repetition. */
  const kept: [number, unknown][][] = leaders.map(() => [])
  const brokers = ['a', 'b'].map((nodeId) => ({
    nodeId,
    async produce({ topicData }: { topicData: { partitions: Part[] }[] }) {
      const parts = topicData.flatMap(({ partitions }) => partitions)
      if (parts.some(({ partition }) => leaders[partition] !== nodeId)) throw createErrorFromCode(NOT_LEADER)
      for (const { partition, messages, firstSequence } of parts) {
        for (const [at, { value }] of messages.entries()) kept[partition]?.push([firstSequence + at, value])
      }
      const partitions = parts.map(({ partition }) => ({ partition, errorCode: 0 }))
      return { topics: [{ topicName: TOPIC, partitions }] }
    },
  }))
  let known = [...leaders]
  const cluster = {
    targetTopics: new Set([TOPIC]),
    isConnected: () => true,
    addMultipleTargetTopics: async () => undefined,
    refreshMetadataIfNecessary: async () => undefined,
    refreshMetadata: async () => {
      known = [...leaders]
    },
    findTopicPartitionMetadata: () => leaders.map((_, partitionId) => ({ partitionId })),
    findLeaderForPartitions: (_: string, partitions: string[]) =>
      Object.groupBy(partitions.map(Number), (partition) => known[partition] ?? ''),
    findBroker: async ({ nodeId }: { nodeId: string }) => brokers.find((broker) => broker.nodeId === nodeId),
  }
  const eosManager = createEosManager({ logger: silent, cluster, transactional: false })
  const retrier = createRetry({ initialRetryTime: 1, retries: 5 })
  const partitioner = ({ message }: { message: PartitionMessage }) => message.partition
  const sendMessages = createSendMessages({ logger: silent, cluster, partitioner, eosManager, retrier })
  let sends = 0
  const producer: Pick<Producer, 'send'> = {
    send: ({ topic, messages, acks }) => {
      sends++
      return sendMessages({ acks, topicMessages: [{ topic, messages }] })
    },
  }
  return { producer, kept, sends: () => sends }
}

const messages = [0, 1, 0, 1].map((partition, at) => ({ partition, value: String(at) }))
const ALL = [
  [
    [0, '0'],
    [1, '2'],
  ],
  [
    [0, '1'],
    [1, '3'],
  ],
]

test('what a broker no longer leads is sent to the one that leads it now, also where that has acknowledged its part', async () => {
  const leaders = ['a', 'b']
  const { producer, kept, sends } = clusterOf(leaders)
  leaders[1] = 'a' // The producer does not know yet.
  await sendAll(producer, TOPIC, messages)
  expect(sends()).toBe(2)
  expect(kept).toEqual(ALL)
})

test('sends once where nothing moves', async () => {
  const { producer, kept, sends } = clusterOf(['a', 'b'])
  await sendAll(producer, TOPIC, messages)
  expect(sends()).toBe(1)
  expect(kept).toEqual(ALL)
})

test('an answer that names none of the partitions is a failure', async () => {
  const sending = sendAll({ send: async () => [] }, TOPIC, messages)
  await expect(sending).rejects.toThrow('acknowledged nothing that was sent to to')
})
