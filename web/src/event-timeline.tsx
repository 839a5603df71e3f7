import { useState } from 'preact/hooks'
import type { EventView } from '../../src/contract/api.ts'
import { plain, utc } from './format.ts'
import { At, Fact, Id, Status } from './parts.tsx'
import { hashOf } from './routes.ts'

/** Events in the order given, each to be opened for what it says and for all of its JSON. */
export function EventTimeline({ events, sessions = false }: { events: readonly EventView[]; sessions?: boolean }) {
  return (
    <ol class="timeline">
      {events.map((event) => (
        <li key={event._id} class="timeline-item">
          <EventItem event={event} session={sessions} />
        </li>
      ))}
    </ol>
  )
}

function EventItem({ event, session }: { event: EventView; session: boolean }) {
  const [open, setOpen] = useState(false)
  const { cache } = event
  return (
    <>
      <details onToggle={(toggle) => setOpen(toggle.currentTarget.open)}>
        <summary>
          <span class="timeline-time">
            <At iso={cache.observedAt} />
          </span>
          <span class="timeline-kind">{cache.kind}</span>
          <Status word={cache.status ?? (cache.kind === 'tombstone' ? 'erased' : null)} kind={cache.kind} />
          <span class="timeline-told">{toldBy(event)}</span>
        </summary>
        {open && <EventBody event={event} />}
      </details>
      {session && cache.sessionId !== null && (
        <p class="timeline-session">
          Session <Id text={cache.sessionId} href={hashOf({ view: 'session', id: cache.sessionId })} />
        </p>
      )}
    </>
  )
}

/** What of its content tells it apart at a glance. */
function toldBy({ facts, http_status }: EventView): string {
  const amount = facts.amount === null ? '' : `${plain(facts.amount)} ${facts.currency ?? ''}`.trim()
  const http = http_status === null || http_status === undefined ? '' : `HTTP ${plain(http_status)}`
  return [amount, facts.errorCode ?? '', http].filter(Boolean).join(' · ')
}

/** The facts in one form for all dialects, then the document as it is stored. */
export function EventBody({ event }: { event: EventView }) {
  const { facts, cache } = event
  const { topic, partition, offset } = cache.source
  const moment = (iso: string | null) => (iso === null ? '–' : <At iso={iso} />)
  return (
    <div class="event-body">
      <dl class="facts">
        <Fact name="Event">
          <Id text={event._id} whole />
        </Fact>
        <Fact name="Plate">
          <bdi>{plain(facts.plate)}</bdi>
        </Fact>
        <Fact name="Starts">{moment(facts.startsAt)}</Fact>
        <Fact name="Ends">{moment(facts.endsAt)}</Fact>
        <Fact name="Observed, in UTC">{utc(cache.observedAt)}</Fact>
        <Fact name="Source">
          <span class="breakable">{`${topic}/${partition}/${offset}`}</span>
        </Fact>
        <Fact name="Kept until">
          <At iso={cache.expiresAt} />
        </Fact>
      </dl>
      {cache.lastSuccess !== undefined && (
        <p class="note">
          An error holds this document; its newest success was <At iso={cache.lastSuccess.observedAt} />, under{' '}
          <code>lastSuccess</code>.
        </p>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <section class="json" tabIndex={0} aria-label={`JSON of event ${event._id.slice(0, 80)}`}>
        <pre>{JSON.stringify(event, null, 2)}</pre>
      </section>
    </div>
  )
}
