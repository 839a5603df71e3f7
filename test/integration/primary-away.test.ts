import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createConnection } from 'mysql2/promise'
import type { Services } from '../../local/services.ts'
import { createLog } from '../../src/operate/log.ts'
import { openPrimary, type Primary } from '../../src/primary/primary.ts'
import {
  connectionsOf,
  type Database,
  database,
  ID,
  insert,
  ownDatabase,
  reasonOf,
  relay,
  TABLE,
} from '../support/primary.ts'
import { freshServices, until } from '../support/services.ts'

const MINUTE = 60_000

const lines: string[] = []
const log = createLog('debug', { write: (line: string) => lines.push(line) })

const idsOf = async (primary: Primary, id: string) => (await primary.rows(id)).map(({ record }) => record.event_id)

describe('a primary store that others need too', () => {
  // Slow for each row that is read.
  const slow = (seconds: number) => [
    `CREATE VIEW pm_parking_event AS SELECT 'a' AS session_id, SLEEP(${seconds}) AS status`,
  ]

  test('is asked ten questions at once; fifty wait, and the rest are told that it is busy', async () => {
    await using db = await ownDatabase(...slow(0.2))
    await using primary = openPrimary(db.uri, { log })
    const outcomes = Array.from({ length: 200 }, () => reasonOf(primary.rows('a')))
    let most = 0
    let all: string[] | null = null
    Promise.all(outcomes).then((reasons) => {
      all = reasons
    })
    await until(
      async () => {
        most = Math.max(most, (await connectionsOf(db.admin, db.name)).length)
        return all !== null
      },
      { timeoutMs: 10_000, what: 'all are answered', everyMs: 20 },
    )
    expect(all).toEqual([...Array(60).fill('answered'), ...Array(140).fill('busy')])
    expect(most).toBe(10)
    expect(primary.state).toBe('closed')
  })

  test('is not waited for, and does not go on with what nobody waits for', async () => {
    await using db = await ownDatabase(...slow(20))
    await using primary = openPrimary(db.uri, { log })
    const began = Date.now()
    expect(await reasonOf(primary.rows('a'))).toBe('timeout')
    expect(Date.now() - began).toBeLessThan(2_500)
    const connections = await connectionsOf(db.admin, db.name)
    expect(connections.filter(({ command }) => command !== 'Sleep')).toEqual([])
  })

  test('and does not answer on one connection is asked on another', async () => {
    await using db = await ownDatabase(TABLE)
    await insert(db.admin, { session_id: ID })
    await using between = await relay(db.uri)
    await using primary = openPrimary(between.uri, { log })
    await Promise.all(Array.from({ length: 3 }, () => primary.rows(ID)))
    const before = between.count()
    between.hang()
    const outcomes = Array.from({ length: before }, () => reasonOf(primary.rows(ID)))
    expect(await Promise.all(outcomes)).toEqual(Array(before).fill('timeout'))
    const again = Date.now()
    expect(await idsOf(primary, ID)).toEqual([ID])
    expect(Date.now() - again).toBeLessThan(1_000)
    await until(() => between.count() === 1, { timeoutMs: 1_000, what: 'those that hang are closed' })
  })
})

describe('a primary store that is away', () => {
  let services: Services
  let db: Database

  beforeAll(async () => {
    services = await freshServices({ mysql: true })
    db = await database(services.mysqlAdmin as string, TABLE, `INSERT INTO pm_parking_event SET session_id = '${ID}'`)
  }, 3 * MINUTE)

  afterAll(async () => {
    await db?.[Symbol.asyncDispose]()
    await services?.[Symbol.asyncDispose]()
  })

  const answers = (primary: Primary) =>
    until(async () => (await idsOf(primary, ID)).length === 1, { timeoutMs: 30_000, what: 'the primary answers' })

  test(
    'hangs: a look-up ends in time, after five none is tried, and one finds when it is back',
    async () => {
      const states: string[] = []
      await using primary = openPrimary(db.uri, { log, onState: (state) => states.push(state) })
      await answers(primary)
      await services.mysql?.pause()
      try {
        const began = Date.now()
        const outcomes = await Promise.all(Array.from({ length: 8 }, () => reasonOf(primary.rows(ID))))
        expect(outcomes).toEqual(Array(8).fill('timeout'))
        expect(Date.now() - began).toBeLessThan(3_000)
        expect(primary.state).toBe('open')
        const again = Date.now()
        expect(await reasonOf(primary.rows(ID))).toBe('open')
        expect(Date.now() - again).toBeLessThan(100)
        // One tries now and then, and finds it hanging still.
        await until(async () => (await reasonOf(primary.rows(ID))) === 'timeout', {
          timeoutMs: 15_000,
          what: 'one tries',
          everyMs: 200,
        })
      } finally {
        await services.mysql?.resume()
      }
      await answers(primary)
      expect(states).toEqual(['open', 'half-open', 'open', 'half-open', 'closed'])
    },
    MINUTE,
  )

  test(
    'is killed and comes back, and idle connections of before do no harm',
    async () => {
      await using primary = openPrimary(db.uri, { log })
      await Promise.all(Array.from({ length: 10 }, () => primary.rows(ID)))
      await services.mysql?.kill()
      expect(await reasonOf(primary.rows(ID))).toBe('away')
      await services.mysql?.start()
      expect(await idsOf(primary, ID)).toEqual([ID])
      await services.mysql?.stop()
      await services.mysql?.start()
      const rows = await Promise.all(Array.from({ length: 20 }, () => idsOf(primary, ID)))
      expect(rows).toEqual(Array(20).fill([ID]))
    },
    MINUTE,
  )

  test('ends idle connections, which nobody sees', async () => {
    await using primary = openPrimary(db.uri, { log })
    const admin = await createConnection(services.mysqlAdmin as string)
    for (let round = 0; round < 20; round++) {
      await Promise.all(Array.from({ length: 5 }, () => primary.rows(ID)))
      const open = await connectionsOf(admin, db.name)
      const ended = Promise.all(open.map(({ id }) => admin.query(`KILL ${id}`)))
      expect(await idsOf(primary, ID)).toEqual([ID])
      await ended.catch(() => undefined)
    }
    await admin.end()
  })

  test('hangs, and does not hold us up when we end', async () => {
    const primary = openPrimary(db.uri, { log })
    await answers(primary)
    await services.mysql?.pause()
    try {
      const asked = reasonOf(primary.rows(ID))
      const began = Date.now()
      await primary[Symbol.asyncDispose]()
      expect(Date.now() - began).toBeLessThan(2_000)
      expect(['away', 'timeout']).toContain(await asked)
      await expect(primary.rows(ID)).rejects.toThrow('closed')
    } finally {
      await services.mysql?.resume()
    }
  })

  test('refuses us, and nothing that we say of it tells a secret', async () => {
    const { hostname, port, password } = new URL(db.uri)
    const messages: string[] = []
    for (const uri of [
      `mysql://stranger:hunter2@${hostname}:${port}/${db.name}`,
      `mysql://reader:${password}@${hostname}:${port}/${db.name}`,
      `mysql://reader:reader@${hostname}:${port}/nowhere`,
      `mysql://reader:reader@${hostname}:${port}/${db.name}`,
      `mysql://reader:reader@${hostname}:1/parking`,
      `mysql://reader:reader@${hostname}:${port}/parking?ssl=true`,
    ]) {
      await using primary = openPrimary(uri, { log })
      for (let i = 0; i < 6; i++) {
        await primary.rows(ID).catch(({ name, message, stack, cause }) => {
          messages.push(message)
          expect(name).toBe('PrimaryUnavailable')
          expect(`${stack} ${cause}`).not.toMatch(/stranger|hunter2|reader@/)
        })
      }
    }
    const said = messages.join('\n')
    expect(messages).toHaveLength(36)
    expect(said).toContain('refuses the user or the password')
    expect(said).toContain('does not let this user into the database')
    expect(said).toContain('does not listen')
    expect(said).toContain('does not offer TLS')
    for (const secret of ['stranger', 'hunter2', password, 'reader', hostname, port, db.name]) {
      expect(said).not.toContain(secret)
      expect(lines.join('')).not.toContain(secret)
    }
  })
})
