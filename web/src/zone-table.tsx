import { Component } from 'preact'
import { useRef } from 'preact/hooks'
import type { ZoneView } from '../../src/contract/api.ts'
import { count } from './format.ts'
import { Id } from './parts.tsx'
import { hashOf } from './routes.ts'
import { toneOf } from './tone.ts'
import { type Order, type SortKey, wordsOf } from './zone-order.ts'
import { StatusBar } from './zone-totals.tsx'

interface ZoneTableProps {
  zones: readonly ZoneView[]
  order: Order
  /** Parked in the fullest zone, for the length of the bars. */
  fullest: number
  onSort: (by: SortKey) => void
}

export function ZoneTable({ zones, order, fullest, onSort }: ZoneTableProps) {
  const head = { order, onSort }
  return (
    <table class="table zone-table">
      <caption class="sr-only">Zones, with how many are parked in each by status</caption>
      <thead>
        <tr>
          <SortHead {...head} by="zone" name="Zone" />
          <SortHead {...head} by="parked" name="Parked" number />
          <SortHead {...head} by="overdue" name="Overdue" number />
          <th scope="col">By status</th>
        </tr>
      </thead>
      <tbody>
        {zones.map((zone) => (
          <ZoneRow key={zone.zone_id} zone={zone} fullest={fullest} />
        ))}
      </tbody>
    </table>
  )
}

interface SortHeadProps {
  by: SortKey
  name: string
  number?: boolean
  order: Order
  onSort: (by: SortKey) => void
}

function SortHead({ by, name, number = false, order, onSort }: SortHeadProps) {
  const sorted = order.by === by ? (order.descending ? 'descending' : 'ascending') : undefined
  return (
    <th scope="col" class={number ? 'number' : undefined} aria-sort={sorted}>
      <button type="button" class="sort" onClick={() => onSort(by)}>
        {name}
      </button>
    </th>
  )
}

interface ZoneRowProps {
  zone: ZoneView
  fullest: number
}

/** Drawn anew only where something in it changed: there may be hundreds. */
class ZoneRow extends Component<ZoneRowProps> {
  override shouldComponentUpdate(next: ZoneRowProps): boolean {
    return next.fullest !== this.props.fullest || JSON.stringify(next.zone) !== JSON.stringify(this.props.zone)
  }

  override render({ zone, fullest }: ZoneRowProps) {
    return (
      <tr>
        <th scope="row">
          <Id text={zone.zone_id} href={hashOf({ view: 'zone', id: zone.zone_id })} />
        </th>
        <td class="number">
          <Moving n={zone.parked} />
        </td>
        <td class={zone.overdue > 0 ? 'number overdue' : 'number none'}>
          <Moving n={zone.overdue} />
        </td>
        <td>
          <span class="by-status">
            <StatusBar by_status={zone.by_status} of={fullest} />
            <span class="by-status-words">
              {wordsOf(zone.by_status).map(([word, n]) => (
                <span key={word} class={`tone-${toneOf(word)}`}>
                  {count(n)} <bdi>{word}</bdi>
                </span>
              ))}
            </span>
          </span>
        </td>
      </tr>
    )
  }
}

/** A number that shows for a moment that it has changed. */
function Moving({ n }: { n: number }) {
  const first = useRef(n)
  const moved = useRef(false)
  if (first.current !== n) moved.current = true
  return (
    <span key={n} class={moved.current ? 'moved' : undefined}>
      {count(n)}
    </span>
  )
}
