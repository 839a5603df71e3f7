import type { Kind } from '../../src/contract/document.ts'

/** What the page shows, as the fragment of its address says it: `#/zones/10001`, `#/live?zone=10001`. */
export type Route =
  | { view: 'zones' }
  | { view: 'zone'; id: string }
  | { view: 'live'; filters: LiveFilters }
  | { view: 'sessions'; filters: SessionFilters }
  | { view: 'session'; id: string }
  | { view: 'event'; id: string }
  | { view: 'cache' }
  | { view: 'dead-letters' }
  | { view: 'unknown' }

/** Empty text: no filter. */
export interface LiveFilters {
  zone: string
  session: string
  kind: Kind | ''
  /** Also what only confirmed a status. */
  all: boolean
}

export interface SessionFilters {
  zone: string
  status: string
  card: string
}

export const KINDS: readonly Kind[] = ['session', 'payment', 'status', 'error']
export const NO_LIVE_FILTERS: LiveFilters = { zone: '', session: '', kind: '', all: false }
export const NO_SESSION_FILTERS: SessionFilters = { zone: '', status: '', card: '' }

/** Ids may hold anything, half surrogate pairs too, which `encodeURIComponent` throws at. */
export const encoded = (text: string): string => encodeURIComponent(text.toWellFormed())

/** `a=1&b=x%20y` of what is not empty. */
export function queryOf(fields: Record<string, string | number>): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}=${encoded(String(value))}`)
    .join('&')
}

const withQuery = (path: string, query: string): string => (query === '' ? path : `${path}?${query}`)

export function hashOf(route: Route): string {
  switch (route.view) {
    case 'zone':
      return `#/zones/${encoded(route.id)}`
    case 'session':
      return `#/sessions/${encoded(route.id)}`
    case 'event':
      return `#/events/${encoded(route.id)}`
    case 'live': {
      const { all, ...texts } = route.filters
      return withQuery('#/live', queryOf({ ...texts, all: all ? 'true' : '' }))
    }
    case 'sessions':
      return withQuery('#/sessions', queryOf({ ...route.filters }))
    case 'unknown':
      return '#/zones'
    default:
      return `#/${route.view}`
  }
}

export function routeOf(hash: string): Route {
  const [path = '', ...rest] = hash.replace(/^#?\/?/, '').split('?')
  const query = new URLSearchParams(rest.join('?'))
  const slash = path.indexOf('/')
  const room = slash === -1 ? path : path.slice(0, slash)
  const id = slash === -1 ? '' : decoded(path.slice(slash + 1))
  if (id === null) return { view: 'unknown' }
  return id === '' ? roomOf(room, query) : thingOf(room, id)
}

function roomOf(room: string, query: URLSearchParams): Route {
  const text = (name: string) => query.get(name) ?? ''
  switch (room) {
    case '':
    case 'zones':
      return { view: 'zones' }
    case 'live': {
      const kind = KINDS.find((one) => one === text('kind')) ?? ''
      return {
        view: 'live',
        filters: { zone: text('zone'), session: text('session'), kind, all: text('all') === 'true' },
      }
    }
    case 'sessions':
      return { view: 'sessions', filters: { zone: text('zone'), status: text('status'), card: text('card') } }
    case 'cache':
    case 'dead-letters':
      return { view: room }
    default:
      return { view: 'unknown' }
  }
}

function thingOf(room: string, id: string): Route {
  if (room === 'zones') return { view: 'zone', id }
  if (room === 'sessions') return { view: 'session', id }
  return room === 'events' ? { view: 'event', id } : { view: 'unknown' }
}

/** Null where a hand-written address has a stray `%`. */
function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
