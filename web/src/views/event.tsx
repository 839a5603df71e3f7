import type { EventView } from '../../../src/contract/api.ts'
import { EventBody } from '../event-timeline.tsx'
import { useGet } from '../hooks.ts'
import { Fact, Heading, Id, Part, Status } from '../parts.tsx'
import { encoded, hashOf } from '../routes.ts'
import { Card } from '../session-table.tsx'

/** One document of the cache, for what belongs to no session too. */
export function EventPage({ id }: { id: string }) {
  const event = useGet<EventView>(`v1/events/${encoded(id)}`, 10_000, true)
  return (
    <>
      <Heading over={<a href="#/sessions">Sessions</a>}>
        Event <Id text={id} whole />
      </Heading>
      <Part shown={event} what="The event" room="table">
        {(view) => (
          <section class="panel" aria-label="What it says">
            <dl class="facts facts-main">
              <Fact name="Kind">{view.cache.kind}</Fact>
              <Fact name="Status">
                <Status word={view.cache.status} kind={view.cache.kind} />
              </Fact>
              <Fact name="Session">
                {view.cache.sessionId === null ? (
                  '–'
                ) : (
                  <Id text={view.cache.sessionId} href={hashOf({ view: 'session', id: view.cache.sessionId })} />
                )}
              </Fact>
              <Fact name="Zone">
                {view.facts.zoneId === null ? (
                  '–'
                ) : (
                  <Id text={view.facts.zoneId} href={hashOf({ view: 'zone', id: view.facts.zoneId })} />
                )}
              </Fact>
              <Fact name="Card">
                <Card card={view.facts.card} />
              </Fact>
            </dl>
            <EventBody event={view} />
          </section>
        )}
      </Part>
    </>
  )
}
