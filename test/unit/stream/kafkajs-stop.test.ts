import { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import '../../../src/stream/kafkajs-stop.ts'

const Runner = createRequire(import.meta.url)('kafkajs/src/consumer/runner.js')
const LOOKS = 10_000

const log = { namespace: () => log, debug() {}, info() {}, warn() {}, error() {} }

/** A consumer of two brokers that answer when they are told to. */
function consumerOf(brokers: number[]) {
  const answers = new Map<number, () => void>()
  let looks = 0
  const crashes: Error[] = []
  const consumerGroup = {
    connect: async () => {},
    joinAndSync: async () => {},
    heartbeat: async () => {},
    leave: async () => {},
    /** Asked before each fetch: without an end to it a fault here would hang the test. */
    getNodeIds() {
      if (++looks > LOOKS) throw new TypeError('looked for ever')
      return [...brokers]
    },
    fetch: (broker: number) => new Promise<never[]>((resolve) => answers.set(broker, () => resolve([]))),
  }
  const runner = new Runner({
    ...{ logger: log, consumerGroup, instrumentationEmitter: new EventEmitter(), concurrency: 1 },
    onCrash: (error: Error) => crashes.push(error),
  })
  return { runner, answer: (broker: number) => answers.get(broker)?.(), crashes }
}

test('a consumer that is told to stop while a broker goes stops', async () => {
  const brokers = [1, 2]
  const { runner, answer, crashes } = consumerOf(brokers)
  await runner.start()
  brokers.pop()
  answer(1)
  await nextTurn()
  const stopped = runner.stop()
  answer(2)
  await stopped
  expect(crashes).toEqual([])
  expect(runner.consuming).toBe(false)
})

test('fetchers are made anew where a broker comes, and stop', async () => {
  const brokers = [1]
  const { runner, answer, crashes } = consumerOf(brokers)
  await runner.start()
  brokers.push(2)
  answer(1)
  await nextTurn()
  expect(runner.fetchManager.getFetchers()).toHaveLength(2)
  const stopped = runner.stop()
  answer(1)
  answer(2)
  await stopped
  expect(crashes).toEqual([])
  expect(runner.consuming).toBe(false)
})
