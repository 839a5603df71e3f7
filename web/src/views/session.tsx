import type { SessionView } from '../../../src/contract/api.ts'
import { EventTimeline } from '../event-timeline.tsx'
import { useGet } from '../hooks.ts'
import { Age, At, Empty, Fact, Heading, Id, Part, Status } from '../parts.tsx'
import { encoded, hashOf, KINDS, NO_LIVE_FILTERS } from '../routes.ts'
import { Card } from '../session-table.tsx'

/** One session: how each kind of it stands, and what was observed of it. */
export function SessionPage({ id }: { id: string }) {
  const session = useGet<SessionView>(`v1/sessions/${encoded(id)}`, 4_000, true)
  return (
    <>
      <Heading over={<a href="#/sessions">Sessions</a>}>
        Session <Id text={id} whole />
      </Heading>
      <Part shown={session} what="The session" room="table">
        {(view) => (
          <>
            <section class="panel" aria-label="How it stands">
              <Standing session={view} />
              <States session={view} />
            </section>
            <section aria-labelledby="timeline-title">
              <div class="section-head">
                <h2 id="timeline-title">Timeline, the oldest first</h2>
                <p>
                  <a href={hashOf({ view: 'live', filters: { ...NO_LIVE_FILTERS, session: id } })}>
                    Watch this session
                  </a>
                </p>
              </div>
              {view.events.length === 0 ? (
                <Empty title="No event of it is cached">
                  <p>Events are kept for a time; the session's state outlives them.</p>
                </Empty>
              ) : (
                <EventTimeline events={view.events} />
              )}
            </section>
          </>
        )}
      </Part>
    </>
  )
}

function Standing({ session }: { session: SessionView }) {
  const { status, zone_id, card, ends_at, revision } = session
  return (
    <dl class="facts facts-main">
      <Fact name="Status">
        <Status word={status} />
      </Fact>
      <Fact name="Zone">
        {zone_id === null ? '–' : <Id text={zone_id} href={hashOf({ view: 'zone', id: zone_id })} />}
      </Fact>
      <Fact name="Ends">
        {ends_at === null ? (
          '–'
        ) : (
          <>
            <At iso={ends_at} />{' '}
            <span class="quiet">
              (<Age iso={ends_at} />)
            </span>
          </>
        )}
      </Fact>
      <Fact name="Card">
        <Card card={card} />
      </Fact>
      <Fact name="Revision">{revision ?? <span class="quiet">no update is known</span>}</Fact>
    </dl>
  )
}

function States({ session: { state } }: { session: SessionView }) {
  const known = KINDS.filter((kind) => state[kind] !== undefined)
  if (known.length === 0) return null
  return (
    <table class="table">
      <caption>State of each kind</caption>
      <thead>
        <tr>
          <th scope="col">Kind</th>
          <th scope="col">Status</th>
          <th scope="col">Since</th>
          <th scope="col" class="wide">
            Event
          </th>
        </tr>
      </thead>
      <tbody>
        {known.map((kind) => {
          const { status, occurred_at, event_id } = state[kind] as NonNullable<typeof state.session>
          return (
            <tr key={kind}>
              <th scope="row">{kind}</th>
              <td>
                <Status word={status} kind={kind} />
              </td>
              <td>
                <At iso={occurred_at} />
              </td>
              <td class="wide">
                <Id text={event_id} href={hashOf({ view: 'event', id: event_id })} />
              </td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}
