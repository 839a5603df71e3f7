import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, jest, test } from '@jest/globals'
import '../../../src/stream/kafkajs-timers.ts'

const RequestQueue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue/index.js')
const quiet = { debug() {}, warn() {} }
const open: { destroy(): void }[] = []
afterEach(() => {
  jest.restoreAllMocks()
  for (const queue of open.splice(0)) queue.destroy()
})

function queueOf({ requestTimeout = 30_000, isConnected = () => true }) {
  const options = { enforceRequestTimeout: true, maxInFlightRequests: 5, requestTimeout, isConnected }
  const queue = new RequestQueue({ ...options, clientId: 'c', broker: 'b', logger: quiet })
  queue.scheduleRequestTimeoutCheck()
  open.push(queue)
  return queue
}

/** What becomes of a request that nobody answers. */
function ask(queue: { push(request: object): void }): Promise<Error> {
  const entry = { apiKey: 0, apiName: 'Produce', apiVersion: 7, correlationId: 1 }
  return new Promise((reject) =>
    queue.push({ entry: { ...entry, resolve() {}, reject }, expectResponse: true, sendRequest() {} }),
  )
}

test('a request without an answer fails once its time is over', async () => {
  const began = performance.now()
  expect(await ask(queueOf({ requestTimeout: 200 }))).toMatchObject({ name: 'KafkaJSRequestTimeoutError' })
  expect(performance.now() - began).toBeLessThan(2_500)
})

test('idle connections share one timer, which ends with the last of them', () => {
  const begin = jest.spyOn(globalThis, 'setInterval')
  const end = jest.spyOn(globalThis, 'clearInterval')
  const [first, second] = [queueOf({}), queueOf({})]
  expect(begin).toHaveBeenCalledTimes(1)
  const [timer] = begin.mock.results.map(({ value }) => value)
  first.destroy()
  expect(end.mock.calls.flat()).not.toContain(timer)
  second.destroy()
  expect(end.mock.calls.flat()).toContain(timer)
})

test('a connection that is closed is looked at no more', async () => {
  const queue = queueOf({ isConnected: () => false })
  const destroyed = jest.spyOn(queue, 'destroy')
  await sleep(2_200)
  expect(destroyed).toHaveBeenCalledTimes(1)
})
