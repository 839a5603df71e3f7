import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createConnection } from 'mysql2/promise'
import { createRandom, type Random } from '../src/simulate/random.ts'
import { ROOT } from './build.ts'

export const PRIMARY_DATABASE = 'parking'

const SESSIONS = 120
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

/** A row of `pm_parking_event`, by column. */
export type SeededRow = Record<string, string | number | Date | null>

/** Where the user of local/primary.sql, who can only read, finds a server. `host` has its port. */
export const readerUri = (host: string): string => `mysql://reader:reader@${host}/${PRIMARY_DATABASE}`

/**
 * Makes database, table and reader of local/primary.sql on a new server, and fills the table.
 * @param adminUri of a user who may make users.
 */
export async function seedPrimary(adminUri: string): Promise<void> {
  const connection = await createConnection({ uri: adminUri, timezone: 'Z', multipleStatements: true })
  try {
    await connection.query("SET time_zone = '+00:00'")
    await connection.query(await readFile(join(ROOT, 'local', 'primary.sql'), 'utf8'))
    const rows = seededRows(new Date())
    const columns = Object.keys(rows[0] as SeededRow)
    const values = rows.map((row) => columns.map((column) => row[column] ?? null))
    await connection.query(`INSERT INTO ${PRIMARY_DATABASE}.pm_parking_event (??) VALUES ?`, [columns, values])
  } finally {
    await connection.end()
  }
}

/** The same sessions every time, in the week before `now`; a few of them are still parked. */
export function seededRows(now: Date): SeededRow[] {
  const random = createRandom('primary')
  return Array.from({ length: SESSIONS }, () => sessionRows(random, now.getTime())).flat()
}

function sessionRows(random: Random, now: number): SeededRow[] {
  const duration = random.int(15, 240) * MINUTE
  // One in six began so lately that it goes on.
  const age = random.chance(1 / 6) ? random.int(MINUTE, duration - MINUTE) : random.int(duration + MINUTE, 7 * DAY)
  const start = now - age
  const session = sessionColumns(random)
  const steps: [type: string, at: number, stop: number][] = [['parking_start', start, start + duration]]
  if (random.chance(0.4)) {
    const first = steps[0] as [string, number, number]
    first[2] = start + duration / 2
    steps.push(['parking_extend', start + random.int(1, duration / 2), start + duration])
  }
  if (age > duration) steps.push(['parking_stop', start + duration, start + duration])
  return steps
    .filter(([, at]) => at <= now)
    .map(([type, at, stop]) => ({ ...session, ...stepColumns(random, type, at, { start, stop }) }))
}

/** What all rows of a session have in common. */
function sessionColumns(random: Random): SeededRow {
  const isNumeric = random.chance(0.25)
  const country = random.pick(['US', 'US', 'US', 'CA'])
  const zone = random.digits(5)
  return {
    session_id: isNumeric ? `50${random.digits(8)}` : `IC${random.digits(14)}N`,
    user_id: random.chance(0.1) ? null : random.int(100_000, 99_999_999),
    zone_id: `9539${zone}`,
    area: random.pick(['Midtown', 'Old Town', 'Riverside', 'Airport']),
    zone: random.chance(0.2) ? null : zone,
    license_plate_number: `${random.pick(['ABC', 'KLM', 'XYZ', 'JQR'])}${random.digits(4)}`,
    lpn_country: country,
    lpn_state: random.chance(0.2)
      ? null
      : country === 'US'
        ? random.pick(['GA', 'NY', 'CA'])
        : random.pick(['ON', 'QC']),
    payment_method: random.pick(['card', 'card', 'wallet', 'corporate']),
    alert_before: random.chance(0.5) ? 10 : null,
  }
}

function stepColumns(random: Random, type: string, at: number, times: { start: number; stop: number }): SeededRow {
  const isOver = type === 'parking_stop'
  const minutes = (times.stop - times.start) / MINUTE
  const created = at + random.int(20, 900)
  return {
    event_type: type,
    parking_start_time_UTC: new Date(times.start),
    parking_stop_time_UTC: new Date(times.stop),
    amount: type === 'parking_start' && random.chance(0.3) ? null : (minutes * 0.05 + 0.35).toFixed(2),
    status: isOver ? 'finished' : 'on-going',
    alert_at: isOver || random.chance(0.5) ? null : new Date(times.stop - 10 * MINUTE),
    created_at: new Date(created),
    updated_at: new Date(created + (random.chance(0.3) ? random.int(1, 5_000) : 0)),
  }
}
