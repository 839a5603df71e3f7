import { useStore } from './hooks.ts'
import { Icon, type IconName, Mark } from './icons.tsx'
import { keyDialog } from './key-dialog.tsx'
import type { Route } from './routes.ts'
import { type Scheme, scheme } from './scheme.ts'
import { api, key, ready } from './server.ts'

const PLACES: readonly { view: Route['view'] & IconName; name: string; also: readonly Route['view'][] }[] = [
  { view: 'zones', name: 'Zones', also: ['zone'] },
  { view: 'live', name: 'Live', also: [] },
  { view: 'sessions', name: 'Sessions', also: ['session', 'event'] },
  { view: 'cache', name: 'Cache', also: [] },
  { view: 'dead-letters', name: 'Dead letters', also: [] },
]

export function Header({ view }: { view: Route['view'] }) {
  return (
    <header class="header">
      <div class="header-inner">
        <a class="brand" href="#/zones">
          <Mark />
          <span>Parking events</span>
        </a>
        <nav class="nav" aria-label="Views">
          <ul>
            {PLACES.map((place) => (
              <li key={place.view}>
                <a href={`#/${place.view}`} aria-current={currentOf(place, view)}>
                  <Icon name={place.view} />
                  <span>{place.name}</span>
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <div class="header-side">
          <Health />
          <KeyButton />
          <SchemeButton />
        </div>
      </div>
    </header>
  )
}

function currentOf(place: (typeof PLACES)[number], view: Route['view']): 'page' | 'true' | undefined {
  if (place.view === view) return 'page'
  return place.also.includes(view) ? 'true' : undefined
}

/** The server in two words; where to look is behind it. */
function Health() {
  const away = useStore(api.away)
  const { data, problem } = useStore(ready)
  const [tone, words] = healthOf(away, data?.conditions, problem !== null)
  return (
    <a class={`health tone-${tone}`} href="#/cache" data-testid="health">
      <span class="sr-only">Server: </span>
      <span>{words}</span>
    </a>
  )
}

type Conditions = Record<string, { ok: boolean }> | undefined

function healthOf(away: number | null, conditions: Conditions, unknown: boolean): [string, string] {
  if (away !== null) return ['wrong', 'No answer']
  if (conditions && Object.values(conditions).some(({ ok }) => !ok)) return ['soon', 'Not ready']
  if (conditions && !unknown) return ['going', 'Ready']
  return ['plain', unknown ? 'Unknown' : 'Asking']
}

function KeyButton() {
  const has = useStore(key) !== null
  const needed = useStore(api.keyNeeded) !== null
  if (!has && !needed) return null
  const words = needed ? 'Enter an API key' : 'Forget the API key'
  return (
    <button
      type="button"
      class="icon-button"
      title={words}
      aria-label={words}
      onClick={() => (needed ? keyDialog.set(true) : key.set(null))}
    >
      <Icon name="key" />
    </button>
  )
}

const AFTER: Record<Scheme, Scheme> = { system: 'light', light: 'dark', dark: 'system' }
const SCHEMES: Record<Scheme, string> = { system: 'as the system has it', light: 'light', dark: 'dark' }

function SchemeButton() {
  const now = useStore(scheme)
  const words = `Colours: ${SCHEMES[now]}. Change to ${SCHEMES[AFTER[now]]}`
  return (
    <button type="button" class="icon-button" title={words} aria-label={words} onClick={() => scheme.set(AFTER[now])}>
      <Icon name={now} />
    </button>
  )
}
