/**
 * Does work that stops when its signal aborts, which it does after so many milliseconds. Only time counts in which this process got on
 * itself: where it is held up, answers lie there unread, and their store is not to blame.
 * @throws an error that says what did not happen within that time; what the work throws.
 */
export async function inTime<T>(ms: number, what: string, work: (late: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController()
  const abort = () => late.abort(new Error(`${what} within ${ms / 1_000} s`))
  let turn: NodeJS.Immediate | undefined
  let timer: NodeJS.Timeout | undefined
  // However late a step comes, what was received by then is read before the next one.
  const wait = (steps: number): void => {
    timer = setTimeout(() => {
      if (steps > 1) wait(steps - 1)
      else turn = setImmediate(abort)
    }, ms / STEPS)
  }
  wait(STEPS)
  try {
    return await work(late.signal)
  } finally {
    clearTimeout(timer)
    clearImmediate(turn)
  }
}

const STEPS = 8

/** The same for work that does not stop: nobody waits for it any longer. */
export function orLate<T>(ms: number, what: string, work: () => Promise<T>): Promise<T> {
  return inTime(ms, what, (late) => {
    const inVain = new Promise<never>((_, reject) => {
      late.addEventListener('abort', () => reject(late.reason))
    })
    return Promise.race([work(), inVain])
  })
}
