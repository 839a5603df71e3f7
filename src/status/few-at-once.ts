/** Lets at most `most` works go on at the same time; others wait in order. */
export function fewAtOnce(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  let going = 0
  const waiting: (() => void)[] = []
  return async (work) => {
    if (going < most) going++
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      // The place goes straight to who waits next.
      const next = waiting.shift()
      if (next) next()
      else going--
    }
  }
}
