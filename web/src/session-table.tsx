import type { SessionSummary } from '../../src/contract/api.ts'
import { clock, span, utc } from './format.ts'
import { useNow, useSteady } from './hooks.ts'
import { Age, At, Id, Status } from './parts.tsx'
import { hashOf, NO_SESSION_FILTERS } from './routes.ts'

/** Sessions, each as the status topic tells it. */
export function SessionTable({ sessions, zones = false }: { sessions: readonly SessionSummary[]; zones?: boolean }) {
  const { steady, holding } = useSteady(sessions, ({ session_id }) => session_id)
  return (
    <table class="table session-table">
      <caption class="sr-only">Sessions, the newest update first</caption>
      <thead>
        <tr>
          <th scope="col">Session</th>
          {zones && <th scope="col">Zone</th>}
          <th scope="col">Status</th>
          <th scope="col">Ends</th>
          <th scope="col" class="wide">
            Card
          </th>
          <th scope="col" class="wide">
            Last update
          </th>
          <th scope="col" class="number wide">
            Revision
          </th>
        </tr>
      </thead>
      <tbody {...holding}>
        {steady.map((session) => (
          <SessionRow key={session.session_id} session={session} zones={zones} />
        ))}
      </tbody>
    </table>
  )
}

function SessionRow({ session, zones }: { session: SessionSummary; zones: boolean }) {
  const { session_id, zone_id, status, card, occurred_at, revision } = session
  return (
    <tr>
      <th scope="row">
        <Id text={session_id} href={hashOf({ view: 'session', id: session_id })} />
      </th>
      {zones && <td>{zone_id === null ? '–' : <Id text={zone_id} href={hashOf({ view: 'zone', id: zone_id })} />}</td>}
      <td>
        <Status word={status} />
      </td>
      <td>
        <Ends session={session} />
      </td>
      <td class="wide">
        <Card card={card} />
      </td>
      <td class="wide">
        <Age iso={occurred_at} />
      </td>
      <td class="number wide">{revision}</td>
    </tr>
  )
}

/** Absent for who may not read cards. */
export function Card({ card }: { card: string | null | undefined }) {
  if (card === undefined) return <span class="quiet">not shown</span>
  if (card === null || card === '') return <span class="quiet">–</span>
  return <Id text={card} href={hashOf({ view: 'sessions', filters: { ...NO_SESSION_FILTERS, card } })} />
}

function Ends({ session: { ends_at, parked, overdue } }: { session: SessionSummary }) {
  const now = useNow()
  if (ends_at === null) return <span class="quiet">–</span>
  if (!parked) return <At iso={ends_at} />
  const ms = Date.parse(ends_at)
  if (!overdue || Number.isNaN(ms)) return <Age iso={ends_at} />
  return (
    <span class="overdue" title={`ended ${clock.at(ms, now)} · ${utc(ends_at)}`}>
      {span(now - ms)} overdue
    </span>
  )
}
