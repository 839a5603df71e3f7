import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import type { Connection } from 'mysql2/promise'
import { ROOT } from '../../local/build.ts'
import { createLog } from '../../src/operate/log.ts'
import { openPrimary, type Primary } from '../../src/primary/primary.ts'
import { ID, insert, ownDatabase, reasonOf, TABLE } from '../support/primary.ts'

const log = createLog('debug', { write: () => undefined })

const idsOf = async (primary: Primary, id: string) => (await primary.rows(id)).map(({ record }) => record.event_id)

describe('a session in the primary store', () => {
  test('is found with its rows, oldest first; another is not there', async () => {
    await using db = await ownDatabase(TABLE)
    for (const [type, status, time] of [
      ['parking_stop', 'finished', '2026-06-01 11:30:01.250'],
      ['parking_start', 'on-going', '2026-06-01 10:00:01.500'],
    ]) {
      await insert(db.admin, { session_id: ID, event_type: type, status, created_at: time, updated_at: time })
    }
    await using primary = openPrimary(db.uri, { log })
    expect(await primary.rows(ID)).toEqual([
      {
        record: {
          event_id: ID,
          event_type: 'parking_start',
          session_data: { session_id: ID, parking_start_time_UTC: null },
          timestamp: '2026-06-01T10:00:01.500Z',
          status: 'on-going',
          user_id: null,
        },
        createdAt: Date.parse('2026-06-01T10:00:01.500Z'),
        updatedAt: Date.parse('2026-06-01T10:00:01.500Z'),
      },
      expect.objectContaining({ updatedAt: Date.parse('2026-06-01T11:30:01.250Z') }),
    ])
    expect(await primary.rows('IC00000000000000N')).toEqual([])
    expect(primary.state).toBe('closed')
  })

  test('is the one of exactly this id', async () => {
    const ids = ['abc', 'ABC', 'abc ', 'ábc', '12', '012', '12abc', '😀', '\ufffd']
    await using db = await ownDatabase(TABLE)
    for (const session_id of ids) await insert(db.admin, { session_id })
    await using primary = openPrimary(db.uri, { log })
    for (const id of ids) expect(await idsOf(primary, id)).toEqual([id])
    for (const id of ['Abc', ' abc', 'abc  ', '0012', '12.0', '', 'ab_', 'ab%', '\ud83d']) {
      expect(await idsOf(primary, id)).toEqual([])
    }
  })

  test.each(['latin1', 'ascii', 'utf8mb3'])(
    'may be asked for by what the %s of its column cannot hold',
    async (charset) => {
      await using db = await ownDatabase(
        `CREATE TABLE pm_parking_event (session_id VARCHAR(64) CHARACTER SET ${charset})`,
      )
      await db.admin.query("INSERT INTO pm_parking_event VALUES ('abc'), ('?')")
      await using primary = openPrimary(db.uri, { log })
      expect(await idsOf(primary, 'abc')).toEqual(['abc'])
      expect(await idsOf(primary, '😀')).toEqual([])
      expect(await idsOf(primary, '漢')).toEqual([])
      expect(primary.state).toBe('closed')
    },
  )

  test.each(['BIGINT', 'BIGINT UNSIGNED', 'DECIMAL(20)'])('may have a number for its id, a %s', async (type) => {
    await using db = await ownDatabase(`CREATE TABLE pm_parking_event (session_id ${type}, user_id ${type})`)
    const ids = ['12', '5016216071', '9007199254740992', '9007199254740993', '9223372036854775807']
    for (const id of ids) await db.admin.query('INSERT INTO pm_parking_event VALUES (?, ?)', [id, id])
    await using primary = openPrimary(db.uri, { log })
    for (const id of ids) {
      const rows = await primary.rows(id)
      expect(rows.map(({ record }) => [record.event_id, String(record.user_id)])).toEqual([[id, id]])
    }
    for (const id of ['12abc', '012', '12.0', ' 12', '9007199254740994', '9'.repeat(30), "12 OR '1'='1'"]) {
      expect(await idsOf(primary, id)).toEqual([])
    }
  })

  test('keeps integers beyond 2^53', async () => {
    await using db = await ownDatabase(TABLE)
    await insert(db.admin, { session_id: ID, user_id: '9007199254740993' })
    await using primary = openPrimary(db.uri, { log })
    expect((await primary.rows(ID))[0]?.record.user_id).toBe(9007199254740993n)
  })

  test('is read by its newest 200 rows, of which none is of another', async () => {
    await using db = await ownDatabase(
      TABLE,
      `INSERT INTO pm_parking_event (session_id, event_type, updated_at)
        SELECT '${ID}', seq, '2026-06-01 10:00:00' + INTERVAL seq SECOND FROM seq_1_to_300`,
      `INSERT INTO pm_parking_event (session_id, updated_at)
        SELECT '${ID.toLowerCase()}', '2026-07-01 10:00:00' FROM seq_1_to_300`,
    )
    await using primary = openPrimary(db.uri, { log })
    const types = (await primary.rows(ID)).map(({ record }) => Number(record.event_type))
    expect(types).toEqual(Array.from({ length: 200 }, (_, index) => index + 101))
  })

  test('cannot be made to be more than an id', async () => {
    await using db = await ownDatabase(TABLE)
    await insert(db.admin, { session_id: 'secret' })
    await using primary = openPrimary(db.uri, { log })
    for (const id of [
      "' OR '1'='1",
      '" OR 1=1 -- ',
      "'; DROP TABLE pm_parking_event; -- ",
      "\\' OR 1=1 #",
      "secret' UNION SELECT user, password FROM mysql.user -- ",
      '\u00bf\u0027 OR 1=1 -- ',
      'secret\0',
      '?',
    ]) {
      expect(await primary.rows(id)).toEqual([])
    }
    expect(await idsOf(primary, 'secret')).toEqual(['secret'])
  })
})

describe('the table of the primary store', () => {
  test('may lack columns, and lose one while we look', async () => {
    await using db = await ownDatabase(TABLE)
    await insert(db.admin, { session_id: ID, status: 'on-going', user_id: 7, updated_at: '2026-06-01 10:00:00' })
    await using primary = openPrimary(db.uri, { log })
    expect((await primary.rows(ID))[0]?.record).toMatchObject({ user_id: 7, status: 'on-going' })
    await db.admin.query('ALTER TABLE pm_parking_event DROP COLUMN user_id')
    const [row] = await primary.rows(ID)
    expect(row?.record).toMatchObject({ status: 'on-going', timestamp: '2026-06-01T10:00:00.000Z' })
    expect(row?.record).not.toHaveProperty('user_id')
  })

  test.each([
    ['no column session_id', 'CREATE TABLE pm_parking_event (id INT)'],
    ['no table pm_parking_event', 'CREATE TABLE other (session_id INT)'],
    ['session_id of type double', 'CREATE TABLE pm_parking_event (session_id DOUBLE)'],
  ])('that has %s is told so', async (words, statement) => {
    await using db = await ownDatabase(statement)
    await using primary = openPrimary(db.uri, { log })
    for (let i = 0; i < 2; i++) await expect(primary.rows(ID)).rejects.toThrow(words)
    expect(await reasonOf(primary.rows(ID))).toBe('away')
  })

  test('is read in a session that cannot write, in UTC, and in which the server limits a query too', async () => {
    await using db = await ownDatabase(
      `CREATE FUNCTION facts() RETURNS VARCHAR(64)
        RETURN CONCAT_WS(' ', @@tx_read_only, @@time_zone, @@max_statement_time, @@character_set_connection)`,
      `CREATE VIEW pm_parking_event AS SELECT 'a' AS session_id, facts() AS status`,
    )
    await using primary = openPrimary(db.uri, { log })
    expect((await primary.rows('a'))[0]?.record.status).toBe('ON +00:00 1.800000 utf8mb4')
  })

  test('gives its times in UTC, whatever zone machine and server are in', async () => {
    await using db = await ownDatabase(TABLE)
    await insert(db.admin, {
      session_id: ID,
      parking_start_time_UTC: '2026-03-08 02:30:00', // an hour that New York does not have
      updated_at: '2026-06-01 10:00:00.125',
    })
    // Of a server whose sessions begin in another zone.
    await using zoned = await serverZone(db.admin, '-05:00')
    void zoned
    const script = `
      import { openPrimary } from ${JSON.stringify(join(ROOT, 'src/primary/primary.ts'))}
      const log = { warn() {}, info() {} }
      await using primary = openPrimary(process.env.PRIMARY_MYSQL_URI, { log })
      console.log(JSON.stringify(await primary.rows(${JSON.stringify(ID)})))`
    const env = { ...process.env, TZ: 'America/New_York', PRIMARY_MYSQL_URI: db.uri }
    const args = ['--no-warnings', '--input-type=module', '-e', script]
    const { stdout } = await promisify(execFile)(process.execPath, args, { env })
    expect(JSON.parse(stdout)).toMatchObject([
      {
        record: {
          session_data: { parking_start_time_UTC: '2026-03-08T02:30:00.000Z' },
          timestamp: '2026-06-01T10:00:00.125Z',
        },
        updatedAt: Date.parse('2026-06-01T10:00:00.125Z'),
      },
    ])
  })
})

/** Sets the zone in which new sessions of the server begin, until disposed of. */
async function serverZone(admin: Connection, zone: string): Promise<AsyncDisposable> {
  const [[before]] = (await admin.query('SELECT @@global.time_zone AS zone')) as unknown as [[{ zone: string }]]
  await admin.query('SET GLOBAL time_zone = ?', [zone])
  return { [Symbol.asyncDispose]: async () => void (await admin.query('SET GLOBAL time_zone = ?', [before.zone])) }
}
