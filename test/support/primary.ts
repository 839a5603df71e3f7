import { randomBytes } from 'node:crypto'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise'
import { sharedServices } from './services.ts'

/** A session's id, as ParkMobile makes them. */
export const ID = 'IC73443624523235N'
/** Makes the table of parking events, with some of its columns. */
export const TABLE = `CREATE TABLE pm_parking_event (
  session_id VARCHAR(64) NOT NULL, user_id BIGINT, event_type VARCHAR(32), status VARCHAR(16),
  parking_start_time_UTC DATETIME, created_at TIMESTAMP(3) NULL, updated_at TIMESTAMP(3) NULL, KEY (session_id))`

export interface Database extends AsyncDisposable {
  name: string
  uri: string
  admin: Connection
}

/** A database of its own with the table that these statements make. */
export async function database(adminUri: string, ...statements: string[]): Promise<Database> {
  const name = `primary_${randomBytes(6).toString('hex')}`
  const admin = await createConnection({ uri: adminUri, timezone: 'Z' })
  admin.on('error', () => undefined)
  await admin.query(`CREATE DATABASE ${name}`)
  await admin.query(`USE ${name}`)
  await admin.query("SET time_zone = '+00:00'")
  for (const statement of statements) await admin.query(statement)
  const uri = new URL(adminUri)
  uri.pathname = `/${name}`
  const dispose = async () => {
    // Its server may have been away.
    const again = await createConnection({ uri: adminUri })
    for (const { id } of await connectionsOf(again, name)) await again.query(`KILL ${id}`).catch(() => undefined)
    await again.query(`DROP DATABASE ${name}`)
    await again.end()
  }
  return { name, uri: uri.href, admin, [Symbol.asyncDispose]: dispose }
}

/** One of the shared server. */
export const ownDatabase = (...statements: string[]): Promise<Database> =>
  database(sharedServices().primaryAdminUri, ...statements)

export const insert = (admin: Connection, row: Record<string, unknown>): Promise<unknown> =>
  admin.query('INSERT INTO pm_parking_event SET ?', [row])

/** Connections to a database, but for the asking one. */
export async function connectionsOf(admin: Connection, name: string): Promise<{ id: number; command: string }[]> {
  const sql = 'SELECT id, command FROM information_schema.processlist WHERE db = ? AND id <> CONNECTION_ID()'
  const [rows] = await admin.query<RowDataPacket[]>(sql, [name])
  return rows as { id: number; command: string }[]
}

/** Why a question was not answered. */
export const reasonOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'answered',
    (error) => error.reason ?? String(error),
  )

/** Stands before a server. `hang` makes the connections of now pass on no more answers. */
export async function relay(uri: string) {
  const { hostname, port } = new URL(uri)
  const pairs = new Map<Socket, Socket>()
  const server = createServer((client) => {
    const backend = connect(Number(port), hostname)
    pairs.set(client, backend)
    client.pipe(backend).pipe(client)
    for (const socket of [client, backend]) socket.on('error', () => socket.destroy())
    client.once('close', () => {
      pairs.delete(client)
      backend.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const own = new URL(uri)
  own.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    uri: own.href,
    count: () => pairs.size,
    hang: () => {
      for (const [client, backend] of pairs) backend.unpipe(client)
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of pairs.keys()) client.destroy()
      server.close()
    },
  }
}
