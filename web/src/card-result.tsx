import { useEffect, useState } from 'preact/hooks'
import type { EventList, EventView, Problem } from '../../src/contract/api.ts'
import type { Answer } from './api.ts'
import { EventTimeline } from './event-timeline.tsx'
import { announce } from './hooks.ts'
import { Empty, Loading, Part } from './parts.tsx'
import { asProblem, NOTHING_YET } from './polling.ts'

/** The next page has its place in the body too: the question for it has no address. */
export type CardEvents = EventList & { next?: string }

/** A card number that was asked for. It is not here; only its answer is awaited. */
export interface CardQuestion {
  answer: Promise<Answer<CardEvents>>
}

type Result = { events: EventView[]; more: boolean } | { problem: Problem } | null

export function CardResult({ question }: { question: CardQuestion }) {
  const result = useResult(question)
  return (
    <section aria-labelledby="number-title">
      <div class="section-head">
        <h2 id="number-title">Events of the card number you gave</h2>
      </div>
      {result === null ? (
        <Loading what="The events" room="table" />
      ) : 'problem' in result ? (
        <Part shown={{ ...NOTHING_YET, problem: result.problem }} what="The events" room="line">
          {() => null}
        </Part>
      ) : result.events.length === 0 ? (
        <Empty title="No event with this card is cached" />
      ) : (
        <>
          <EventTimeline events={result.events} sessions />
          {result.more && <p class="quiet">There are more; the newest are shown.</p>}
        </>
      )}
    </section>
  )
}

function useResult({ answer }: CardQuestion): Result {
  const [result, setResult] = useState<Result>(null)
  useEffect(() => {
    let shown = true
    setResult(null)
    answer.then(
      ({ body }) => {
        if (!shown) return
        setResult({ events: body.events, more: body.next !== undefined })
        announce(`${body.events.length} events found`)
      },
      (error) => shown && setResult({ problem: asProblem(error) }),
    )
    return () => {
      shown = false
    }
  }, [answer])
  return result
}
