/**
 * kafkajs 2.2.4 makes its fetchers anew where brokers come or go, also while the consumer stops: nobody stops the new ones,
 * and since a stopped consumer fetches nothing, without any wait, they keep the process busy for ever. Here a fetch of a
 * stopped consumer ends them.
 */
import { createRequire } from 'node:module'

interface Runner {
  running: boolean
  fetchManager: { start(): Promise<void> }
}

class StoppedError extends Error {}

const Runner = createRequire(import.meta.url)('kafkajs/src/consumer/runner.js')
const fetch: (this: Runner, nodeId: number) => Promise<unknown[]> = Runner.prototype.fetch
const start: (this: Runner) => Promise<void> = Runner.prototype.start

Runner.prototype.fetch = async function (this: Runner, nodeId: number): Promise<unknown[]> {
  if (!this.running) throw new StoppedError()
  return fetch.call(this, nodeId)
}

Runner.prototype.start = function (this: Runner): Promise<void> {
  const { fetchManager } = this
  const startFetching = fetchManager.start
  fetchManager.start = () =>
    startFetching().catch((error) => {
      if (!(error instanceof StoppedError)) throw error
    })
  return start.call(this)
}
