/** Commands at once: while they are on their way the next keys gather. */
const MOST_COMMANDS = 4

interface Wait<T> {
  key: string
  resolve: (value: T | null) => void
  reject: (error: unknown) => void
}

/**
 * Gathers what is asked for while earlier questions are on their way, and asks for it together: one command for many costs both sides
 * far less than one for each.
 * @param most keys of one command.
 * @param ask keys without an answer may be missing.
 */
export function createGatherer<T>(
  most: number,
  ask: (keys: string[]) => Promise<Map<string, T>>,
): (key: string) => Promise<T | null> {
  const waiting: Wait<T>[] = []
  let running = 0
  let isPlanned = false

  async function send(waits: Wait<T>[]): Promise<void> {
    try {
      const found = await ask([...new Set(waits.map(({ key }) => key))])
      for (const { key, resolve } of waits) resolve(found.get(key) ?? null)
    } catch (error) {
      // Who waits behind what failed would wait in vain, and for longer than its time.
      for (const { reject } of [...waits, ...waiting.splice(0)]) reject(error)
    }
    running--
    plan()
  }

  function plan(): void {
    if (isPlanned || running === MOST_COMMANDS || waiting.length === 0) return
    isPlanned = true
    setImmediate(() => {
      isPlanned = false
      if (waiting.length === 0) return
      running++
      send(waiting.splice(0, most))
      plan()
    })
  }

  return (key) =>
    new Promise((resolve, reject) => {
      waiting.push({ key, resolve, reject })
      plan()
    })
}
