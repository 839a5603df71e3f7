import { Component } from 'preact'
import type { StatusUpdate } from '../../src/contract/status-update.ts'
import type { Row } from './feed.ts'
import { clock } from './format.ts'
import { At, Id, Status } from './parts.tsx'
import { hashOf } from './routes.ts'

interface FeedTableProps {
  rows: readonly Row[]
  /** Somebody points at a row or has the focus in one: it must not move away. */
  onHold: (held: boolean) => void
}

export function FeedTable({ rows, onHold }: FeedTableProps) {
  const byMouse = (held: boolean) => (event: PointerEvent) => {
    if (event.pointerType === 'mouse') onHold(held)
  }
  return (
    <table class="table feed-table">
      <caption class="sr-only">Status updates, the newest on top</caption>
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Session</th>
          <th scope="col">Zone</th>
          <th scope="col" class="wide">
            Kind
          </th>
          <th scope="col">Status</th>
          <th scope="col" class="number wide">
            Revision
          </th>
        </tr>
      </thead>
      <tbody
        onPointerEnter={byMouse(true)}
        onPointerLeave={byMouse(false)}
        onFocusIn={() => onHold(true)}
        onFocusOut={() => onHold(false)}
      >
        {rows.map((row) => (
          <FeedRow key={row.key} row={row} />
        ))}
      </tbody>
    </table>
  )
}

/** A row never changes, so it is drawn once. */
class FeedRow extends Component<{ row: Row }> {
  override shouldComponentUpdate(): boolean {
    return false
  }

  override render({ row }: { row: Row }) {
    if ('update' in row) return <UpdateRow update={row.update} />
    return (
      <tr class="feed-note">
        <td>{clock.second(row.at)}</td>
        <td colSpan={5} class="breakable">
          {row.note}
        </td>
      </tr>
    )
  }
}

function UpdateRow({ update }: { update: StatusUpdate }) {
  const { session_id, event_id, zone_id, kind, occurred_at, revision } = update
  return (
    <tr>
      <td class="feed-time">
        <At iso={occurred_at} />
      </td>
      <td>
        {session_id === null ? (
          <Id text={event_id} href={hashOf({ view: 'event', id: event_id })} />
        ) : (
          <Id text={session_id} href={hashOf({ view: 'session', id: session_id })} />
        )}
      </td>
      <td>{zone_id === null ? '–' : <Id text={zone_id} href={hashOf({ view: 'zone', id: zone_id })} />}</td>
      <td class="wide">{kind}</td>
      <td>
        <Move update={update} />
      </td>
      <td class="number wide">{revision}</td>
    </tr>
  )
}

function Move({ update: { kind, previous_status, status, changed } }: { update: StatusUpdate }) {
  return (
    <span class="move">
      {changed && previous_status !== null && (
        <span class="move-from">
          <bdi>{previous_status}</bdi>
          <span aria-hidden="true"> → </span>
          <span class="sr-only"> became </span>
        </span>
      )}
      <Status word={status} kind={kind} />
      {!changed && <span class="quiet">confirmed</span>}
    </span>
  )
}
