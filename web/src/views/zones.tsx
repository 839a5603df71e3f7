import { useEffect, useMemo, useState } from 'preact/hooks'
import type { Occupancy, ZoneList, ZoneView } from '../../../src/contract/api.ts'
import { many } from '../format.ts'
import { announce, useGet, useSettled } from '../hooks.ts'
import { HoursSwitch, OccupancyChart, useHours } from '../occupancy.tsx'
import { Empty, Heading, Part } from '../parts.tsx'
import { arrange, isOff, matching, type Order, type SortKey, takeOrder, totalsOf } from '../zone-order.ts'
import { ZoneTable } from '../zone-table.tsx'
import { Totals } from '../zone-totals.tsx'

/** What is parked where, now. */
export function ZonesView() {
  const [hours] = useHours()
  const zones = useGet<ZoneList>('v1/zones', 2_000)
  const occupancy = useGet<Occupancy>(`v1/occupancy?hours=${hours}`, 15_000)
  const none = zones.data?.zones.length === 0
  return (
    <>
      <Heading>Zones</Heading>
      <section class="panel overview" aria-label="All zones">
        <Part shown={zones} what="The totals" room="small" silent>
          {(list) => <Totals totals={totalsOf(list.zones)} zones={list.zones.length} />}
        </Part>
        <div class="overview-chart">
          <div class="overview-head">
            <h2>Occupancy</h2>
            <HoursSwitch />
          </div>
          <Part shown={occupancy} what="The occupancy" room="chart">
            {(data) => <OccupancyChart name="Parked in all zones" occupancy={data} />}
          </Part>
        </div>
      </section>
      <section aria-label="Board of zones">
        <Part shown={zones} what="The zones" room="table">
          {(list) => (none ? <NoZones /> : <Board zones={list.zones} />)}
        </Part>
      </section>
    </>
  )
}

function NoZones() {
  return (
    <Empty title="No zones yet">
      <p>A zone appears with the first status update of a session that is parked in it.</p>
      <p>
        To send made-up traffic: <code>npx pm-parking-events simulate</code>
      </p>
    </Empty>
  )
}

/** So many rows at first, and more with each wish for more. */
const PAGE = 100

function Board({ zones }: { zones: ZoneView[] }) {
  const [search, setSearch] = useState('')
  const [overdueOnly, setOverdueOnly] = useState(false)
  const [most, setMost] = useState(PAGE)
  const [order, setOrder] = useState<Order>(() => takeOrder(zones, 'parked', true))
  const found = useMemo(() => arrange(matching(zones, search, overdueOnly), order), [zones, search, overdueOnly, order])
  const off = isOff(found, order)
  const fullest = zones.reduce((most, { parked }) => Math.max(most, parked), 1)
  const words =
    search === '' && !overdueOnly ? many(zones.length, 'zone') : `${found.length} of ${many(zones.length, 'zone')}`
  useSpokenCount(words, search)

  function sort(by: SortKey): void {
    const descending = order.by === by ? !order.descending : by !== 'zone'
    setOrder(takeOrder(zones, by, descending))
  }

  return (
    <>
      <div class="toolbar">
        <Filters search={search} onSearch={setSearch} overdueOnly={overdueOnly} onOverdueOnly={setOverdueOnly} />
        <p class="toolbar-count">{words}</p>
        <button
          type="button"
          class={off ? 'button' : 'button unneeded'}
          aria-disabled={!off}
          tabIndex={off ? 0 : -1}
          onClick={() => setOrder(takeOrder(zones, order.by, order.descending))}
        >
          Sort again
        </button>
      </div>
      {found.length === 0 ? (
        <Empty title="No zone is like that" />
      ) : (
        <ZoneTable zones={found.slice(0, most)} order={order} fullest={fullest} onSort={sort} />
      )}
      {found.length > most && (
        <button type="button" class="button button-more" onClick={() => setMost(most + PAGE)}>
          Show more zones ({found.length - most} left)
        </button>
      )}
    </>
  )
}

interface FiltersProps {
  search: string
  onSearch: (text: string) => void
  overdueOnly: boolean
  onOverdueOnly: (only: boolean) => void
}

function Filters({ search, onSearch, overdueOnly, onOverdueOnly }: FiltersProps) {
  return (
    <>
      <label class="field field-grow">
        <span>Find a zone</span>
        <input
          type="search"
          value={search}
          onInput={(event) => onSearch(event.currentTarget.value)}
          autocomplete="off"
        />
      </label>
      <label class="check">
        <input type="checkbox" checked={overdueOnly} onChange={(event) => onOverdueOnly(event.currentTarget.checked)} />
        <span>Overdue only</span>
      </label>
    </>
  )
}

function useSpokenCount(words: string, search: string): void {
  const settled = useSettled(search, 800)
  useEffect(() => {
    if (settled !== '') announce(words)
  }, [settled])
}
