/**
 * Does work that stops when its signal aborts, which it does after so many milliseconds. Only time counts in which this process got on
 * itself: where it is held up, answers lie there unread, and their store is not to blame.
 * @throws an error that says what did not happen within that time; what the work throws.
 */
export async function inTime<T>(ms: number, what: string, work: (late: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController()
  const stop = whenLate(ms, () => late.abort(lateError(ms, what)))
  try {
    return await work(late.signal)
  } finally {
    stop()
  }
}

/** The same for work that does not stop: nobody waits for it any longer. */
export function orLate<T>(ms: number, what: string, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = whenLate(ms, () => reject(lateError(ms, what)))
    work().then(resolve, reject).finally(stop)
  })
}

const lateError = (ms: number, what: string) => new Error(`${what} within ${ms / 1_000} s`)

/** @returns what ends the wait. */
function whenLate(ms: number, tell: () => void): () => void {
  let turn: NodeJS.Immediate | undefined
  let timer: NodeJS.Timeout
  // However late a step comes, what was received by then is read before the next one.
  const wait = (steps: number): void => {
    timer = setTimeout(() => {
      if (steps > 1) wait(steps - 1)
      else turn = setImmediate(tell)
    }, ms / STEPS)
  }
  wait(STEPS)
  return () => {
    clearTimeout(timer)
    clearImmediate(turn)
  }
}

const STEPS = 8
