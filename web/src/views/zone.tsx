import { useState } from 'preact/hooks'
import type { SessionSummary, ZoneDetail } from '../../../src/contract/api.ts'
import { useGet, useRead } from '../hooks.ts'
import { HoursSwitch, OccupancyChart, useHours } from '../occupancy.tsx'
import { readPages } from '../pages.ts'
import { Empty, Heading, Id, Part } from '../parts.tsx'
import { encoded, hashOf, NO_LIVE_FILTERS, NO_SESSION_FILTERS } from '../routes.ts'
import { api } from '../server.ts'
import { SessionTable } from '../session-table.tsx'
import { Totals } from '../zone-totals.tsx'

export function ZonePage({ id }: { id: string }) {
  const [hours] = useHours()
  const zone = useGet<ZoneDetail>(`v1/zones/${encoded(id)}?hours=${hours}`, 3_000)
  return (
    <>
      <Heading over={<a href="#/zones">Zones</a>}>
        Zone <Id text={id} whole />
      </Heading>
      <section class="panel overview" aria-label="This zone">
        <Part shown={zone} what="The zone" room="chart">
          {(detail) => (
            <>
              <Totals totals={detail} />
              <div class="overview-chart">
                <div class="overview-head">
                  <h2>Occupancy</h2>
                  <HoursSwitch />
                </div>
                <OccupancyChart name="Parked in this zone" occupancy={detail.occupancy} />
              </div>
            </>
          )}
        </Part>
      </section>
      <ParkedSessions id={id} parked={zone.data?.parked ?? 0} />
    </>
  )
}

/** Pages that are read at once to find who is parked among those that have left. */
const MOST_PAGES = 4

function ParkedSessions({ id, parked }: { id: string; parked: number }) {
  const [turns, setTurns] = useState(1)
  const sessions = useRead(`${id} ${turns}`, 4_000, (signal) =>
    readPages<SessionSummary>(
      api,
      `v1/sessions?zone=${encoded(id)}&limit=50`,
      'sessions',
      (items, pages) => pages >= turns * MOST_PAGES || (turns === 1 && parked > 0 && parkedOf(items).length >= parked),
      { signal },
    ),
  )
  return (
    <section aria-labelledby="parked-title">
      <div class="section-head">
        <h2 id="parked-title">Parked sessions</h2>
        <p>
          <a href={hashOf({ view: 'live', filters: { ...NO_LIVE_FILTERS, zone: id } })}>Watch this zone</a>
          <a href={hashOf({ view: 'sessions', filters: { ...NO_SESSION_FILTERS, zone: id } })}>All its sessions</a>
        </p>
      </div>
      <Part shown={sessions} what="The sessions" room="table">
        {({ items, more }) => {
          const there = parkedOf(items)
          return (
            <>
              {there.length > 0 ? <SessionTable sessions={there} /> : <Empty title="Nobody is parked here now" />}
              {more && there.length < parked && (
                <button type="button" class="button button-more" onClick={() => setTurns(turns + 1)}>
                  Look further back
                </button>
              )}
            </>
          )
        }}
      </Part>
    </section>
  )
}

const parkedOf = (sessions: readonly SessionSummary[]): SessionSummary[] => sessions.filter(({ parked }) => parked)
