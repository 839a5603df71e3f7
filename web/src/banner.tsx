import { useEffect } from 'preact/hooks'
import { age, clock } from './format.ts'
import { announce, useNow, useStore } from './hooks.ts'
import { At } from './parts.tsx'
import { api, type Readiness, ready, wake } from './server.ts'

/** What is wrong with the whole server, over whatever view is shown. */
export function Banner() {
  const away = useStore(api.away)
  const { data } = useStore(ready)
  const failing = Object.entries(data?.conditions ?? {}).filter(([, { ok }]) => !ok)
  const names = failing.map(([name]) => name).join(', ')

  // Said once for each change; the text that is shown grows older every second.
  const words = away !== null ? 'The server does not answer' : names === '' ? '' : `The server is not ready: ${names}`
  useEffect(() => announce(words), [words])

  if (away !== null) return <Away since={away} />
  return failing.length > 0 ? <NotReady failing={failing} /> : null
}

function Away({ since }: { since: number }) {
  const now = useNow()
  return (
    <div class="banner banner-away" data-testid="banner">
      <p>
        <strong>The server does not answer</strong> since {clock.at(since, now)}, {age(since, now)}. What is shown is
        from before.
      </p>
      <button type="button" class="button" onClick={wake.ring}>
        Try now
      </button>
    </div>
  )
}

function NotReady({ failing }: { failing: [string, Readiness['conditions'][string]][] }) {
  return (
    <div class="banner banner-unready" data-testid="banner">
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
    </div>
  )
}
