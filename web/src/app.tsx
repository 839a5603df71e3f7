import { useEffect, useErrorBoundary, useRef } from 'preact/hooks'
import { Banner } from './banner.tsx'
import { Header } from './header.tsx'
import { useAnnouncement, useRoute } from './hooks.ts'
import { KeyDialog } from './key-dialog.tsx'
import { Empty, Heading } from './parts.tsx'
import { hashOf, type Route } from './routes.ts'
import { CacheView } from './views/cache.tsx'
import { DeadLettersView } from './views/dead-letters.tsx'
import { EventPage } from './views/event.tsx'
import { LiveView } from './views/live.tsx'
import { SessionPage } from './views/session.tsx'
import { SessionsView } from './views/sessions.tsx'
import { ZonePage } from './views/zone.tsx'
import { ZonesView } from './views/zones.tsx'

export function App() {
  const route = useRoute()
  // Filters are part of a view; the same view with others is not another place to go to.
  const place = 'id' in route ? hashOf(route) : route.view
  useArrival(place, titleOf(route))
  return (
    <>
      {/* biome-ignore lint/a11y/useValidAnchor: it leads to a place, but the address is taken by the routes. */}
      <a class="skip" href="#view" onClick={skip}>
        Skip to the content
      </a>
      <Header view={route.view} />
      <Banner />
      <main id="main" class="main">
        <Safely key={place} route={route} />
      </main>
      <p class="sr-only" role="status">
        {useAnnouncement()}
      </p>
      <KeyDialog />
    </>
  )
}

function skip(event: Event): void {
  event.preventDefault()
  document.getElementById('view')?.focus()
}

/** Whoever came by keyboard or hears the page is told where they are now. Not at the first view, which the title tells. */
function useArrival(place: string, title: string): void {
  const first = useRef(true)
  useEffect(() => {
    document.title = `${title} · Parking events`
    if (!first.current) {
      scrollTo(0, 0)
      document.getElementById('view')?.focus({ preventScroll: true })
    }
    first.current = false
  }, [place])
}

/** A view that cannot be drawn takes the others with it no more. */
function Safely({ route }: { route: Route }) {
  const [error, again] = useErrorBoundary()
  if (!error) return <View route={route} />
  return (
    <>
      <Heading>This view could not be drawn</Heading>
      <Empty title="Something in it was not as expected.">
        <p class="breakable">{String(error)}</p>
        <button type="button" class="button" onClick={again}>
          Try again
        </button>
      </Empty>
    </>
  )
}

function View({ route }: { route: Route }) {
  switch (route.view) {
    case 'zones':
      return <ZonesView />
    case 'zone':
      return <ZonePage id={route.id} />
    case 'live':
      return <LiveView filters={route.filters} />
    case 'sessions':
      return <SessionsView filters={route.filters} />
    case 'session':
      return <SessionPage id={route.id} />
    case 'event':
      return <EventPage id={route.id} />
    case 'cache':
      return <CacheView />
    case 'dead-letters':
      return <DeadLettersView />
    default:
      return (
        <>
          <Heading>There is no such view</Heading>
          <Empty title="The address leads nowhere.">
            <p>
              <a href="#/zones">Go to the zones</a>
            </p>
          </Empty>
        </>
      )
  }
}

function titleOf(route: Route): string {
  switch (route.view) {
    case 'zone':
      return `Zone ${route.id.slice(0, 60)}`
    case 'session':
      return `Session ${route.id.slice(0, 60)}`
    case 'event':
      return `Event ${route.id.slice(0, 60)}`
    case 'dead-letters':
      return 'Dead letters'
    case 'unknown':
      return 'No such view'
    default:
      return `${route.view.charAt(0).toUpperCase()}${route.view.slice(1)}`
  }
}
