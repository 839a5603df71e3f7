import { useState } from 'preact/hooks'
import type { EventView, SessionSummary } from '../../../src/contract/api.ts'
import { type CardEvents, type CardQuestion, CardResult } from '../card-result.tsx'
import { EventTimeline } from '../event-timeline.tsx'
import { useRead } from '../hooks.ts'
import { LookUp } from '../look-up.tsx'
import { type Pages, readPages } from '../pages.ts'
import { Empty, Heading, Id, Part } from '../parts.tsx'
import type { Shown } from '../polling.ts'
import { queryOf, type SessionFilters } from '../routes.ts'
import { api } from '../server.ts'
import { SessionFilterForm } from '../session-filters.tsx'
import { SessionTable } from '../session-table.tsx'

/** Look-up by session or card, and the sessions that were heard of last. */
export function SessionsView({ filters }: { filters: SessionFilters }) {
  const [question, ask] = useState<CardQuestion | null>(null)
  return (
    <>
      <Heading>Sessions</Heading>
      <LookUp onNumber={(number) => ask({ answer: askFor(number) })} onOther={() => ask(null)} />
      {question !== null && <CardResult question={question} />}
      {filters.card === '' ? (
        <RecentSessions key={queryOf({ ...filters })} filters={filters} />
      ) : (
        <OfCard key={filters.card} filters={filters} />
      )}
    </>
  )
}

/** The number is in the body of this one request and kept nowhere. */
const askFor = (card: string) => api.post<CardEvents>('v1/events/query', { card }, { exact: true })

const PAGE = 50

/** As many pages as were asked for, and what asks for one more. */
function usePages<T>(path: string, field: string, every: number): [Shown<Pages<T>>, () => void] {
  const [pages, setPages] = useState(1)
  const [before, keep] = useState<Shown<Pages<T>> | null>(null)
  const now = useRead(`${path} ${pages}`, every, (signal) =>
    readPages<T>(api, path, field, (_, read) => read >= pages, { signal, exact: field === 'events' }),
  )
  // What was there stays until the longer list has come.
  const shown = now.data === null && now.problem === null && before !== null ? before : now
  return [
    shown,
    () => {
      keep(now)
      setPages(pages + 1)
    },
  ]
}

function RecentSessions({ filters }: { filters: SessionFilters }) {
  const query = queryOf({ ...filters, limit: PAGE })
  const [sessions, more] = usePages<SessionSummary>(`v1/sessions?${query}`, 'sessions', 4_000)
  const filtered = filters.zone !== '' || filters.status !== ''
  return (
    <section aria-labelledby="recent-title">
      <div class="section-head">
        <h2 id="recent-title">Latest sessions</h2>
      </div>
      <SessionFilterForm filters={filters} />
      <Part shown={sessions} what="The sessions" room="table">
        {(page) =>
          page.items.length === 0 ? (
            <Empty title={filtered ? 'No session is like that' : 'No sessions yet'}>
              {!filtered && (
                <p>
                  To send made-up traffic: <code>npx pm-parking-events simulate</code>
                </p>
              )}
            </Empty>
          ) : (
            <>
              <SessionTable sessions={page.items} zones />
              <More shown={page.more} onMore={more} />
            </>
          )
        }
      </Part>
    </section>
  )
}

function OfCard({ filters }: { filters: SessionFilters }) {
  const { card } = filters
  const [sessions, moreSessions] = usePages<SessionSummary>(
    `v1/sessions?${queryOf({ ...filters, limit: PAGE })}`,
    'sessions',
    6_000,
  )
  const [events, moreEvents] = usePages<EventView>(`v1/events?${queryOf({ card, limit: PAGE })}`, 'events', 6_000)
  return (
    <>
      <section aria-labelledby="card-title">
        <div class="section-head">
          <h2 id="card-title">
            Sessions of <Id text={card} whole />
          </h2>
          <p>
            <a href="#/sessions">Latest sessions</a>
          </p>
        </div>
        <Part shown={sessions} what="The card's sessions" room="table">
          {({ items, more }) => (
            <>
              {items.length === 0 ? (
                <Empty title="No session with this card is known" />
              ) : (
                <SessionTable sessions={items} zones />
              )}
              <More shown={more} onMore={moreSessions} />
            </>
          )}
        </Part>
      </section>
      <section aria-labelledby="card-events-title">
        <div class="section-head">
          <h2 id="card-events-title">Its events, the newest first</h2>
        </div>
        <Part shown={events} what="The card's events" room="table">
          {({ items, more }) => (
            <>
              {items.length === 0 ? (
                <Empty title="No event with this card is cached" />
              ) : (
                <EventTimeline events={items} sessions />
              )}
              <More shown={more} onMore={moreEvents} />
            </>
          )}
        </Part>
      </section>
    </>
  )
}

function More({ shown, onMore }: { shown: boolean; onMore: () => void }) {
  if (!shown) return null
  return (
    <button type="button" class="button button-more" onClick={onMore}>
      Show more
    </button>
  )
}
