/** A value that is watched. Who watches is told after each change, not of a value that is set again. */
export interface Store<T> {
  get(): T
  set(next: T): void
  /** @returns what ends it. */
  watch(watcher: () => void): () => void
}

export function createStore<T>(first: T): Store<T> {
  let value = first
  const watchers = new Set<() => void>()
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return
      value = next
      for (const watcher of [...watchers]) watcher()
    },
    watch(watcher) {
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
  }
}

/** A bell: whoever waits for something tries again when it rings. */
export interface Bell {
  ring(): void
  /** @returns what ends it. */
  on(run: () => void): () => void
}

export function createBell(): Bell {
  const store = createStore(0)
  return { ring: () => store.set(store.get() + 1), on: store.watch }
}
