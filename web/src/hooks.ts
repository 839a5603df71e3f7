import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { NOTHING_YET, type Poll, type Shown, startPoll } from './polling.ts'
import { type Route, routeOf } from './routes.ts'
import { api, later, pollOptions } from './server.ts'
import { createStore, type Store } from './store.ts'

export function useStore<T>(store: Store<T>): T {
  const [, redraw] = useState({})
  const value = store.get()
  useEffect(() => {
    // It may have changed between drawing and watching.
    if (store.get() !== value) redraw({})
    return store.watch(() => redraw({}))
  }, [store])
  return value
}

/** The last answer of what is read again and again while it is shown. Another `key` begins anew. */
export function useRead<T>(key: string, every: number, read: (signal: AbortSignal) => Promise<T>): Shown<T> {
  const shown = useMemo(() => createStore<Shown<T>>(NOTHING_YET), [key])
  const latest = useRef(read)
  latest.current = read
  useEffect(() => {
    const poll: Poll<T> = startPoll((signal) => latest.current(signal), pollOptions(every))
    const copy = () => shown.set(poll.shown.get())
    const quiet = poll.shown.watch(copy)
    return () => {
      quiet()
      poll.stop()
    }
  }, [shown])
  return useStore(shown)
}

/** The same of one path. */
export const useGet = <T>(path: string, every: number, exact = false): Shown<T> =>
  useRead(path, every, async (signal) => (await api.get<T>(path, { signal, exact })).body)

const second = createStore(Date.now())
function tick(): void {
  if (!document.hidden) second.set(Date.now())
  later(1_000, tick)
}
tick()

/** Epoch milliseconds, anew every second. */
export const useNow = (): number => useStore(second)

const route = createStore<Route>(routeOf(location.hash))
addEventListener('hashchange', () => route.set(routeOf(location.hash)))

export const useRoute = (): Route => useStore(route)

/** A text that follows another one after a rest, for what is asked while somebody types. */
export function useSettled(text: string, ms: number): string {
  const [settled, settle] = useState(text)
  useEffect(() => later(ms, () => settle(text)), [text, ms])
  return settled
}

const spoken = createStore('')
/** Says something to those who listen to the page instead of looking at it. */
export const announce = (text: string): void => spoken.set(text)
export const useAnnouncement = (): string => useStore(spoken)

/**
 * Rows in the order they have, which stands still while somebody points at one or has the focus in one. What a row says
 * goes on being new.
 */
export function useSteady<T>(rows: readonly T[], keyOf: (row: T) => string) {
  const [held, hold] = useState<readonly T[] | null>(null)
  const byMouse = (next: readonly T[] | null) => (event: PointerEvent) => {
    if (event.pointerType === 'mouse') hold(next)
  }
  const newest = held && new Map(rows.map((row) => [keyOf(row), row]))
  return {
    steady: held && newest ? held.map((row) => newest.get(keyOf(row)) ?? row) : rows,
    holding: {
      onPointerEnter: byMouse(rows),
      onPointerLeave: byMouse(null),
      onFocusIn: () => hold((before) => before ?? rows),
      onFocusOut: () => hold(null),
    },
  }
}
