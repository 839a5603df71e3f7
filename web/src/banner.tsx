import { useEffect } from 'preact/hooks'
import { age, clock } from './format.ts'
import { announce, useNow, useStore } from './hooks.ts'
import { keyDialog } from './key-dialog.tsx'
import { At } from './parts.tsx'
import { api, type Readiness, ready, wake } from './server.ts'

/** What is wrong with the whole server, over whatever view is shown. */
export function Banner() {
  const away = useStore(api.away)
  const needed = useStore(api.keyNeeded)
  const { data } = useStore(ready)
  const failing = Object.entries(data?.conditions ?? {}).filter(([, { ok }]) => !ok)

  // Said once for each change; the text that is shown grows older every second.
  const words = wordsOf(away, needed, failing)
  useEffect(() => announce(words), [words])

  if (away !== null) return <Away since={away} />
  return (
    <>
      {needed !== null && <KeyNeeded needed={needed} />}
      {failing.length > 0 && <NotReady failing={failing} />}
    </>
  )
}

type Failing = [string, Readiness['conditions'][string]][]
type Needed = 'missing' | 'refused'

function wordsOf(away: number | null, needed: Needed | null, failing: Failing): string {
  if (away !== null) return 'The server does not answer'
  if (needed !== null) return ASKING[needed]
  return failing.length === 0 ? '' : `The server is not ready: ${failing.map(([name]) => name).join(', ')}`
}

const ASKING: Record<Needed, string> = {
  missing: 'This server asks for an API key',
  refused: 'The server refused the API key',
}

function KeyNeeded({ needed }: { needed: Needed }) {
  return (
    <section class="banner" aria-label="Credentials" data-testid="banner">
      <p>
        <strong>{ASKING[needed]}.</strong>
      </p>
      <button type="button" class="button" onClick={() => keyDialog.set(true)}>
        Enter an API key
      </button>
    </section>
  )
}

function Away({ since }: { since: number }) {
  const now = useNow()
  return (
    <section class="banner banner-away" aria-label="State of the server" data-testid="banner">
      <p>
        <strong>The server does not answer</strong> since {clock.at(since, now)}, {age(since, now)}. What is shown is
        from before.
      </p>
      <button type="button" class="button" onClick={wake.ring}>
        Try now
      </button>
    </section>
  )
}

function NotReady({ failing }: { failing: Failing }) {
  return (
    <section class="banner" aria-label="State of the server" data-testid="banner">
      <p>
        <strong>The server is not ready.</strong> What needs these may be old or missing.
      </p>
      <ul>
        {failing.map(([name, { detail, since }]) => (
          <li key={name} class="breakable">
            <strong>{name}</strong> down since <At iso={since} />
            {detail !== undefined && `: ${detail}`}
          </li>
        ))}
      </ul>
    </section>
  )
}
