/**
 * Frames on their way to many listeners. To hand something to thousands takes a while, so that is done a few milliseconds at a time,
 * and answers to others go out between. What comes meanwhile for one whose turn has not come goes with the rest: the more there
 * is to do, the more each turn brings.
 */
import type { Listener } from './listeners.ts'
import { SLICE_MS } from './pacer.ts'

export interface Outbox {
  put(listener: Listener, frames: Uint8Array): void
  /** Hands out at once what waits for it here. */
  flush(listener: Listener): void
  forget(listener: Listener): void
  /** Resolves at once, or where it could not get everything out for a while, when it has. */
  settled(): Promise<void>
}

/** Looks at the clock after so many. */
const FEW = 16
/** How long it may be at work before who brings more should wait. */
const BEHIND_MS = 100

export function createOutbox(): Outbox {
  const waiting = new Map<Listener, Uint8Array[]>()
  let busySince = 0
  let whenSettled: (() => void)[] = []

  function work(): void {
    const began = performance.now()
    let handed = 0
    for (const [listener, frames] of waiting) {
      waiting.delete(listener)
      listener.deliver(frames)
      if (++handed % FEW === 0 && performance.now() - began > SLICE_MS) break
    }
    if (waiting.size > 0) return void setImmediate(work)
    busySince = 0
    for (const resolve of whenSettled) resolve()
    whenSettled = []
  }

  return {
    put(listener, frames) {
      const before = waiting.get(listener)
      if (before) before.push(frames)
      else waiting.set(listener, [frames])
      if (busySince > 0) return
      busySince = performance.now()
      setImmediate(work)
    },
    flush(listener) {
      const frames = waiting.get(listener)
      waiting.delete(listener)
      if (frames) listener.deliver(frames)
    },
    forget: (listener) => void waiting.delete(listener),
    async settled() {
      if (busySince === 0 || performance.now() - busySince < BEHIND_MS) return
      await new Promise<void>((resolve) => whenSettled.push(resolve))
    },
  }
}
