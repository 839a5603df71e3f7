export type Room = <T>(records: number, work: () => Promise<T>) => Promise<T>

/**
 * Room for `size` records at work: `work` begins, in the order of the calls, once its `records` fit beside the others, or
 * alone where they never would. So small works go on side by side, and large ones do not fill the memory.
 */
export function createRoom(size: number): Room {
  let taken = 0
  const waiting: { records: number; enter: () => void }[] = []
  const fits = (records: number) => taken === 0 || taken + records <= size
  return async (records, work) => {
    if (waiting.length === 0 && fits(records)) taken += records
    else await new Promise<void>((enter) => waiting.push({ records, enter }))
    try {
      return await work()
    } finally {
      taken -= records
      for (let next = waiting[0]; next && fits(next.records); next = waiting[0]) {
        taken += next.records
        waiting.shift()
        next.enter()
      }
    }
  }
}
