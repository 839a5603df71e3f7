/**
 * kafkajs 2.2.4 sets a timer of negative length again and again while a request queue is idle: a busy loop of about 3 %
 * of a core, and a warning of Node 24. A queue with nothing pending needs no timer, since every push and every answer
 * looks at it anyway.
 */
// @ts-expect-error kafkajs has no types for its inner modules.
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js'

interface Queue {
  pending: unknown[]
  throttledUntil: number
  throttleCheckTimeoutId: NodeJS.Timeout | null
  checkPendingRequests(): void
}

const LOOK_AGAIN_MS = 10

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
