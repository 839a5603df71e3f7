import { useEffect, useRef, useState } from 'preact/hooks'
import { FeedTable } from '../feed-table.tsx'
import { count, rate, sentences, span } from '../format.ts'
import { announce, useNow, useStore } from '../hooks.ts'
import type { Live, LiveState } from '../live.ts'
import { feed, watchUpdates } from '../live-feed.ts'
import { LiveFilterForm } from '../live-filters.tsx'
import { Empty, Heading } from '../parts.tsx'
import { hashOf, type LiveFilters } from '../routes.ts'
import { key, wake } from '../server.ts'
import { createStore, type Store } from '../store.ts'

/** Nobody reads so many updates a second; drawing fewer rows leaves the page quick. */
const RUSH = 50
const ROWS_IN_RUSH = 40

/** Status updates as they come. */
export function LiveView({ filters }: { filters: LiveFilters }) {
  const { state, again } = useUpdates(filters)
  const { rows, paused } = useStore(feed.view)
  const perSecond = useRate()
  const rushing = perSecond > RUSH && !paused
  return (
    <>
      <Heading>Live</Heading>
      <div class="panel live-head">
        <div class="live-line">
          <Connection state={state} again={again} />
          <Flow live={state.is === 'live'} perSecond={perSecond} />
        </div>
        <LiveFilterForm key={hashOf({ view: 'live', filters })} filters={filters} />
      </div>
      {rows.length === 0 ? (
        <Empty title={state.is === 'live' ? 'Waiting for the next update' : 'No updates yet'}>
          <p>Updates show here as they are committed to the status topic, the newest on top.</p>
        </Empty>
      ) : (
        <>
          <FeedTable rows={rushing ? rows.slice(0, ROWS_IN_RUSH) : rows} onHold={feed.hold} />
          {rushing && rows.length > ROWS_IN_RUSH && (
            <p class="quiet">
              While they rush by, the newest {ROWS_IN_RUSH} are drawn. Pause to see the last {rows.length}.
            </p>
          )}
        </>
      )}
    </>
  )
}

const CONNECTING: Store<LiveState> = createStore<LiveState>({ is: 'connecting' })

/** Opens the stream for as long as the view is shown, and anew when the filters change or a refusal may be over. */
function useUpdates(filters: LiveFilters): { state: LiveState; again: () => void } {
  const [live, setLive] = useState<Live | null>(null)
  const [turn, setTurn] = useState(0)
  const again = () => setTurn((n) => n + 1)
  useEffect(() => {
    const opened = watchUpdates(filters)
    setLive(opened)
    const quiet = wake.on(() => {
      if (opened.state.get().is === 'stopped') again()
    })
    const deaf = key.watch(again)
    return () => {
      quiet()
      deaf()
      opened.stop()
      feed.hold(false)
    }
  }, [hashOf({ view: 'live', filters }), turn])
  return { state: useStore(live?.state ?? CONNECTING), again }
}

const TONES = { connecting: 'plain', live: 'going', reconnecting: 'soon', stopped: 'wrong' } as const
const WORDS = { connecting: 'Connecting', live: 'Live', reconnecting: 'Reconnecting', stopped: 'Stopped' } as const

function Connection({ state, again }: { state: LiveState; again: () => void }) {
  const now = useNow()
  const before = useRef(state.is)
  useEffect(() => {
    if (before.current !== state.is) announce(`Stream: ${WORDS[state.is]}`)
    before.current = state.is
  }, [state.is])
  return (
    <div class="connection">
      <p class={`connection-state tone-${TONES[state.is]}`} data-testid="live-state">
        {WORDS[state.is]}
      </p>
      {state.is === 'reconnecting' && (
        <p class="connection-why">
          {state.why}. For {span(now - state.since)}; next try in {span(Math.max(0, state.nextAt - now))}.
        </p>
      )}
      {state.is === 'stopped' && state.problem !== null && (
        <p class="connection-why breakable">
          {sentences(state.problem.title, state.problem.detail, state.problem.remedy)}
        </p>
      )}
      {state.is === 'reconnecting' && (
        <button type="button" class="button" onClick={wake.ring}>
          Try now
        </button>
      )}
      {state.is === 'stopped' && (
        <button type="button" class="button" onClick={again}>
          Start again
        </button>
      )}
    </div>
  )
}

function Flow({ live, perSecond }: { live: boolean; perSecond: number }) {
  const { waiting, paused, rows } = useStore(feed.view)
  const words = paused ? `Paused, ${count(waiting)} waiting` : `Held while you read, ${count(waiting)} waiting`
  return (
    <div class="flow">
      <p class="flow-words">{paused || waiting > 0 ? words : live && `${rate(perSecond)} updates/s`}</p>
      <button type="button" class="button" onClick={feed.clear} disabled={rows.length === 0 && waiting === 0}>
        Clear
      </button>
      <button type="button" class="button button-main" onClick={paused ? feed.resume : feed.pause}>
        {paused ? 'Resume' : 'Pause'}
      </button>
    </div>
  )
}

const RATE_OVER = 5

/** Updates a second, over the last seconds. */
function useRate(): number {
  const now = useNow()
  const totals = useRef<{ at: number; total: number }[]>([])
  const known = totals.current
  if (known.at(-1)?.at !== now) known.push({ at: now, total: feed.total() })
  if (known.length > RATE_OVER + 1) known.shift()
  const first = known[0]
  const last = known.at(-1)
  if (!first || !last || last.at === first.at) return 0
  return ((last.total - first.total) * 1_000) / (last.at - first.at)
}
