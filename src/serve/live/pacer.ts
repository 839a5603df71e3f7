/** Work for many, done a few milliseconds at a time, in the order it came in, so that answers to others go out between. */
export interface Pacer {
  /** Rejects with what the job throws. */
  run<T>(job: () => T): Promise<T>
}

export const SLICE_MS = 5

export function createPacer(): Pacer {
  const jobs: (() => void)[] = []
  let isGoing = false

  function work(): void {
    const began = performance.now()
    let done = 0
    while (done < jobs.length && performance.now() - began < SLICE_MS) jobs[done++]?.()
    jobs.splice(0, done)
    isGoing = jobs.length > 0
    if (isGoing) setImmediate(work)
  }

  return {
    run: (job) =>
      new Promise((resolve, reject) => {
        jobs.push(() => {
          try {
            resolve(job())
          } catch (error) {
            reject(error)
          }
        })
        if (isGoing) return
        isGoing = true
        setImmediate(work)
      }),
  }
}
