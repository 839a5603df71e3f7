export type Room = <T>(takes: number, work: () => Promise<T>) => Promise<T>

/**
 * Room of a size for works, each of which takes some: a work begins, in the order of the calls, once it fits beside those
 * that go on, or alone where it never would. So small works go on side by side, and what large ones make does not fill the memory.
 */
export function createRoom(size: number): Room {
  let taken = 0
  const waiting: { takes: number; enter: () => void }[] = []
  const fits = (takes: number) => taken === 0 || taken + takes <= size
  return async (takes, work) => {
    if (waiting.length === 0 && fits(takes)) taken += takes
    else await new Promise<void>((enter) => waiting.push({ takes, enter }))
    try {
      return await work()
    } finally {
      taken -= takes
      for (let next = waiting[0]; next && fits(next.takes); next = waiting[0]) {
        taken += next.takes
        waiting.shift()
        next.enter()
      }
    }
  }
}
