/**
 * The timers of kafkajs 2.2.4, which cost an idle process most of what it uses: each connection looks ten times a second for
 * requests that had no answer in time, and a queue with nothing pending sets a timer of negative length again and again (and
 * Node 24 warns of it). Here one timer looks at all connections, once a second; and an empty queue sets none, since every
 * push and every answer looks at it anyway.
 */
// @ts-expect-error kafkajs has no types for its inner modules.
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js'

interface Request {
  sentAt: number
  requestTimeout: number
  timeoutRequest(): void
}

interface Queue {
  inflight: Map<number, Request>
  pending: unknown[]
  enforceRequestTimeout: boolean
  throttledUntil: number
  throttleCheckTimeoutId: NodeJS.Timeout | null
  isConnected(): boolean
  checkPendingRequests(): void
  destroy(): void
}

const LOOK_FOR_TIMEOUTS_MS = 1_000
const LOOK_AGAIN_MS = 10

const destroy: (this: Queue) => void = RequestQueue.prototype.destroy
const watched = new Set<Queue>()
let looking: NodeJS.Timeout | undefined

RequestQueue.prototype.scheduleRequestTimeoutCheck = function (this: Queue) {
  if (!this.enforceRequestTimeout) return
  watched.add(this)
  looking ??= setInterval(look, LOOK_FOR_TIMEOUTS_MS).unref()
}

RequestQueue.prototype.destroy = function (this: Queue) {
  destroy.call(this)
  watched.delete(this)
  if (watched.size > 0) return
  clearInterval(looking)
  looking = undefined
}

function look(): void {
  const now = Date.now()
  for (const queue of watched) {
    for (const request of queue.inflight.values()) {
      if (now - request.sentAt > request.requestTimeout) request.timeoutRequest()
    }
    if (!queue.isConnected()) queue.destroy()
  }
}

RequestQueue.prototype.scheduleCheckPendingRequests = function (this: Queue) {
  if (this.throttleCheckTimeoutId || this.pending.length === 0) return
  const throttledMs = this.throttledUntil - Date.now()
  this.throttleCheckTimeoutId = setTimeout(
    () => {
      this.throttleCheckTimeoutId = null
      this.checkPendingRequests()
    },
    throttledMs > 0 ? throttledMs : LOOK_AGAIN_MS,
  )
}
