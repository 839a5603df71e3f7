import { createStore, type Store } from './store.ts'

/** Dark or light: as the system says, until the reader says otherwise. */
export type Scheme = 'system' | 'light' | 'dark'

const KEY = 'pm-parking-events-scheme'
const system = matchMedia('(prefers-color-scheme: dark)')

function stored(): Scheme {
  try {
    const value = localStorage.getItem(KEY)
    return value === 'light' || value === 'dark' ? value : 'system'
  } catch {
    return 'system'
  }
}

export const scheme = createStore<Scheme>(stored())

const shownNow = (): 'light' | 'dark' => {
  const chosen = scheme.get()
  return chosen === 'system' ? (system.matches ? 'dark' : 'light') : chosen
}

/** Which of the two is shown: canvases are painted anew when it changes. */
export const shownScheme: Store<'light' | 'dark'> = createStore(shownNow())

function apply(): void {
  const chosen = scheme.get()
  if (chosen === 'system') delete document.documentElement.dataset.scheme
  else document.documentElement.dataset.scheme = chosen
  shownScheme.set(shownNow())
}

scheme.watch(() => {
  apply()
  try {
    localStorage.setItem(KEY, scheme.get())
  } catch {
    // It holds until the page is left.
  }
})
system.addEventListener('change', apply)
apply()
