import { describe, expect, test } from '@jest/globals'
import type { JsonObject } from '../../../src/contract/record.ts'
import { createCards } from '../../../src/normalize/card-data.ts'
import { normalize } from '../../../src/normalize/normalize.ts'
import { askForSession, type Columns, columnsOf, rowsOf } from '../../../src/primary/columns.ts'

const NOW = Date.parse('2026-06-01T12:00:00Z')
const ID = 'IC73443624523235N'

/** Columns as information_schema tells them, by name. */
const columns = (types: Record<string, string>): Columns =>
  columnsOf(
    Object.entries(types).map(([name, type]) => ({
      name,
      type,
      ...(/char/.test(type) && { charset: 'utf8mb4', collation: 'utf8mb4_general_ci' }),
    })),
  )

const USUAL = {
  session_id: 'varchar',
  user_id: 'bigint',
  event_type: 'varchar',
  zone_id: 'varchar',
  area: 'varchar',
  zone: 'varchar',
  license_plate_number: 'varchar',
  lpn_country: 'char',
  lpn_state: 'char',
  parking_start_time_UTC: 'datetime',
  parking_stop_time_UTC: 'datetime',
  amount: 'decimal',
  payment_method: 'varchar',
  status: 'varchar',
  alert_before: 'int',
  alert_at: 'datetime',
  created_at: 'timestamp',
  updated_at: 'timestamp',
}

const ROW = {
  session_id: ID,
  user_id: 4711,
  event_type: 'parking_start',
  zone_id: '953987',
  area: 'Midtown',
  zone: '67890',
  license_plate_number: 'ABC1234',
  lpn_country: 'US',
  lpn_state: null,
  parking_start_time_UTC: '2026-06-01 10:00:00',
  parking_stop_time_UTC: '2026-06-01 11:30:00',
  amount: '4.50',
  payment_method: 'card',
  status: 'on-going',
  alert_before: 10,
  alert_at: null,
  created_at: '2026-06-01 10:00:01.200',
  updated_at: '2026-06-01 10:00:02.345',
}

/** The one row that is made of this. */
function rowOf(types: Record<string, string>, row: Record<string, unknown>, id = ID) {
  const rows = rowsOf(columns(types), [row], id, NOW)
  expect(rows).toHaveLength(1)
  return rows[0] as (typeof rows)[number]
}
const recordOf = (...of: Parameters<typeof rowOf>): JsonObject => rowOf(...of).record
const sessionOf = (...of: Parameters<typeof rowOf>) => recordOf(...of).session_data as JsonObject

describe('a row becomes an event record', () => {
  test('with every known column in its place', () => {
    const row = rowOf(USUAL, ROW)
    expect(row).toEqual({
      record: {
        event_id: ID,
        event_type: 'parking_start',
        zone_id: '953987',
        session_data: {
          session_id: ID,
          license_plate_number: 'ABC1234',
          lpn_country: 'US',
          lpn_state: null,
          area: 'Midtown',
          zone: '67890',
          parking_start_time_UTC: '2026-06-01T10:00:00.000Z',
          parking_stop_time_UTC: '2026-06-01T11:30:00.000Z',
          amount: 4.5,
          payment_method: 'card',
          alert_before: 10,
          alert_at: null,
        },
        timestamp: '2026-06-01T10:00:02.345Z',
        status: 'on-going',
        user_id: 4711,
      },
      createdAt: Date.parse('2026-06-01T10:00:01.200Z'),
      updatedAt: Date.parse('2026-06-01T10:00:02.345Z'),
    })
    expect(Object.keys(row.record)).toEqual(
      'event_id event_type zone_id session_data timestamp status user_id'.split(' '),
    )
  })

  test('that the stream would have understood', () => {
    const normalized = normalize('event', null, recordOf(USUAL, ROW), createCards({ tokenKey: null, exemptPaths: [] }))
    expect(normalized).toMatchObject({
      id: ID,
      kind: 'session',
      status: 'on-going',
      sessionId: ID,
      zoneId: '953987',
      time: Date.parse('2026-06-01T10:00:02.345Z'),
      endsAt: Date.parse('2026-06-01T11:30:00Z'),
    })
  })

  test('in which a column that is not there is absent, and NULL is null', () => {
    const { session_id, status, updated_at } = ROW
    const types = { session_id: 'varchar', status: 'varchar', updated_at: 'datetime', zone_id: 'varchar' }
    expect(recordOf(types, { session_id, status, updated_at, zone_id: null })).toEqual({
      event_id: ID,
      zone_id: null,
      session_data: { session_id: ID },
      timestamp: '2026-06-01T10:00:02.345Z',
      status: 'on-going',
    })
  })

  test('with our names, however the deployment writes them', () => {
    const types = { SESSION_ID: 'varchar', Parking_Start_Time_utc: 'datetime' }
    const { sql } = askForSession(columns(types), ID) as { sql: string }
    expect(sql).toContain('parking_start_time_UTC AS parking_start_time_UTC')
    expect(sessionOf(types, ROW)).toHaveProperty('parking_start_time_UTC')
  })

  test('without what nobody here knows', () => {
    const types = { ...USUAL, card_number: 'varchar', password: 'varchar' }
    expect(askForSession(columns(types), ID)?.sql).not.toMatch(/card_number|password/)
    expect(JSON.stringify(recordOf(types, { ...ROW, card_number: '4111' }))).not.toContain('4111')
  })
})

describe('values keep what they say', () => {
  test.each([
    ['bigint', 9007199254740991, 9007199254740991],
    ['bigint', '9007199254740993', 9007199254740993n],
    ['bigint', '18446744073709551615', 18446744073709551615n],
    ['varchar', '007', '007'],
    ['int', 0, 0],
  ])('user_id %s %p', (type, value, expected) => {
    expect(recordOf({ ...USUAL, user_id: type }, { ...ROW, user_id: value }).user_id).toBe(expected)
  })

  test.each([
    ['decimal', '4.50', 4.5],
    ['decimal', '0.00', 0],
    ['decimal', '100', 100],
    ['decimal', '-12.10', -12.1],
    ['decimal', '0.1000000000', 0.1],
    ['decimal', '12345678901234567.89', '12345678901234567.89'],
    ['decimal', '9007199254740993', '9007199254740993'],
    ['double', 4.35, 4.35],
    ['float', Math.fround(0.1), 0.1],
    ['float', Math.fround(1234.56), 1234.56],
    ['varchar', '2,00 €', '2,00 €'],
  ])('amount %s %p', (type, value, expected) => {
    expect(sessionOf({ ...USUAL, amount: type }, { ...ROW, amount: value }).amount).toBe(expected)
  })

  test.each([
    ['datetime', '2026-06-01 10:00:00', '2026-06-01T10:00:00.000Z'],
    ['datetime', '2026-03-08 02:30:00', '2026-03-08T02:30:00.000Z'], // an hour that New York does not have
    ['timestamp', '2026-06-01 10:00:00.123456', '2026-06-01T10:00:00.123Z'],
    ['datetime', '0000-00-00 00:00:00', null],
    ['date', '2026-06-01', '2026-06-01'],
    ['date', '0000-00-00', null],
    ['varchar', '2026-06-01T10:00:00', '2026-06-01T10:00:00'],
    ['bigint', 1780308000, 1780308000],
  ])('a time %s %p', (type, value, expected) => {
    const types = { ...USUAL, parking_start_time_UTC: type }
    expect(sessionOf(types, { ...ROW, parking_start_time_UTC: value }).parking_start_time_UTC).toBe(expected)
  })

  test('text of a binary column is text', () => {
    const types = { ...USUAL, session_id: 'varbinary', area: 'varbinary' }
    const row = { ...ROW, session_id: Buffer.from(ID), area: Buffer.from([0xff, 0x00]) }
    expect(sessionOf(types, row)).toMatchObject({ session_id: ID, area: '/wA=' })
  })
})

describe("a row's own time", () => {
  const at = (time: string) => Date.parse(time)

  test.each([
    ['when it was written', {}, at('2026-06-01T10:00:02.345Z')],
    ['else when it was made', { updated_at: null }, at('2026-06-01T10:00:01.200Z')],
    ['else the end of parking', { updated_at: null, created_at: null }, at('2026-06-01T11:30:00Z')],
    [
      'or its start, while the end is to come',
      { updated_at: null, created_at: null, parking_stop_time_UTC: '2026-06-01 12:30:00' },
      at('2026-06-01T10:00:00Z'),
    ],
  ])('is %s', (_, change, expected) => {
    const { updatedAt, record } = rowOf(USUAL, { ...ROW, ...change })
    expect(updatedAt).toBe(expected)
    expect(record.timestamp).toBe(new Date(expected).toISOString())
  })

  test('is older than anything when the row tells none', () => {
    const { session_id, status } = ROW
    const row = rowOf({ session_id: 'varchar', status: 'varchar' }, { session_id, status })
    expect(row).toMatchObject({ createdAt: 0, updatedAt: 0 })
    expect(row.record).not.toHaveProperty('timestamp')
  })

  test.each([
    ['varchar', '2026-06-01 10:00:00'],
    ['varchar', '2026-06-01T12:00:00+02:00'],
    ['bigint', 1780308000],
    ['bigint', 1780308000000],
  ])('may be written as %s %p', (type, value) => {
    const row = rowOf({ ...USUAL, updated_at: type }, { ...ROW, updated_at: value })
    expect(row.updatedAt).toBe(at('2026-06-01T10:00:00Z'))
  })

  test('orders the rows, oldest first', () => {
    const times = ['10:00:03', '10:00:02', null, '10:00:01']
    const rows = times.map((time) => ({ ...ROW, created_at: null, updated_at: time && `2026-06-01 ${time}` }))
    const read = rowsOf(columns(USUAL), rows, ID, NOW).map(({ record }) => record.timestamp)
    // Without one: when the session ended.
    expect(read).toEqual(['10:00:01', '10:00:02', '10:00:03', '11:30:00'].map((time) => `2026-06-01T${time}.000Z`))
  })
})

describe('a session is looked for by its exact id', () => {
  test('in a column of text, in the character set of the column', () => {
    const known = columnsOf([{ name: 'session_id', type: 'varchar', charset: 'latin1', collation: 'latin1_bin' }])
    const question = askForSession(known, ID)
    expect(question?.sql).toContain('session_id = CONVERT(? USING latin1) COLLATE latin1_bin')
    expect(question?.values).toEqual([ID, ID])
  })

  test('never as a part of the statement', () => {
    const id = "' OR 1=1 -- "
    const question = askForSession(columns(USUAL), id)
    expect(question?.sql).not.toContain(id)
    const strange = columnsOf([{ name: 'session_id', type: 'varchar', charset: 'a) OR (1', collation: 'b' }])
    expect(askForSession(strange, ID)?.sql).toContain('session_id = ?')
  })

  test.each(['12abc', '12 ', ' 12', '+12', '012', '1e3', '0x10', '12.0', '-0', ''])(
    'no row of a column of numbers has the id %p',
    (id) => {
      expect(askForSession(columns({ session_id: 'bigint' }), id)).toBeNull()
    },
  )

  test.each(['0', '12', '-12', '9007199254740993', '18446744073709551615'])('a number may be %p', (id) => {
    expect(askForSession(columns({ session_id: 'bigint' }), id)?.values).toEqual([id])
    expect(recordOf({ session_id: 'bigint' }, { session_id: id }, id)).toEqual({
      event_id: id,
      session_data: { session_id: id },
    })
  })

  test('and rows of another are left out', () => {
    const rows = [ID.toLowerCase(), `${ID} `, 'other', null].map((id) => ({ ...ROW, session_id: id }))
    expect(rowsOf(columns(USUAL), rows, ID, NOW)).toEqual([])
  })

  test('an id that no session can have is not looked for', () => {
    expect(askForSession(columns(USUAL), '')).toBeNull()
    expect(askForSession(columns(USUAL), 'ü'.repeat(513))).toBeNull()
  })
})

describe('a table that cannot be read says why', () => {
  test.each([
    ['no table pm_parking_event', []],
    ['no column session_id', [{ name: 'id', type: 'bigint' }]],
    ['a session_id of type double', [{ name: 'session_id', type: 'double' }]],
  ])('%s', (words, rows) => {
    expect(() => columnsOf(rows)).toThrow(words)
  })
})
