/** Takes one line for the person who waits. */
export type Progress = (line: string) => void

const REPEAT_MS = 10_000

/** Runs `work` and tells of it: when it begins, every ten seconds while it goes on, and when it is done. */
export async function step<T>(progress: Progress, what: string, work: () => Promise<T>): Promise<T> {
  const began = Date.now()
  const seconds = () => Math.round((Date.now() - began) / 1_000)
  progress(`${what} …`)
  const timer = setInterval(() => progress(`${what} … ${seconds()} s`), REPEAT_MS)
  try {
    const value = await work()
    progress(`${what}: done in ${((Date.now() - began) / 1_000).toFixed(1)} s`)
    return value
  } finally {
    clearInterval(timer)
  }
}
