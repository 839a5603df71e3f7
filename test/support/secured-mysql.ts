import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { run } from '../../local/native/install.ts'
import { startService } from '../../local/native/process.ts'
import { MARIADB, mariadbCommands } from '../../local/native/tools.ts'
import { freePorts } from '../../local/ports.ts'
import { readerUri, seedPrimary } from '../../local/primary-seed.ts'
import { mysqlAnswers } from '../../local/ready.ts'
import type { Certificate } from './certificates.ts'

/** A primary store whose reader is let in over TLS only. */
export interface SecuredMysql extends AsyncDisposable {
  /** Of the reader, without a word about TLS. */
  readonly uri: string
  /** Of who may make users. */
  readonly adminUri: string
  /** Sessions that it has. */
  readonly sessions: readonly string[]
}

export async function startSecuredMysql(directory: string, { files }: Certificate): Promise<SecuredMysql> {
  const commands = await mariadbCommands()
  if (commands === null) throw new Error(`${MARIADB.what} is not on this machine: install ${MARIADB.remedy}`)
  const home = join(directory, 'mysql')
  await mkdir(home)
  const [port] = (await freePorts(1)) as [number]
  const asRoot = process.getuid?.() === 0 ? ['--user=root'] : []
  const data = ['--no-defaults', `--datadir=${join(home, 'data')}`, '--innodb-log-file-size=16M', ...asRoot]
  await run(commands.install, [...data, '--auth-root-authentication-method=normal', '--skip-test-db'])
  const password = randomBytes(12).toString('hex')
  const users = [
    "DROP USER IF EXISTS ''@'localhost', 'root'@'127.0.0.1', 'root'@'::1';",
    `CREATE USER 'admin'@'127.0.0.1' IDENTIFIED BY '${password}';`,
    "GRANT ALL PRIVILEGES ON *.* TO 'admin'@'127.0.0.1' WITH GRANT OPTION;",
  ]
  await writeFile(join(home, 'init.sql'), users.join('\n'), { mode: 0o600 })
  const host = `127.0.0.1:${port}`
  const admin = `mysql://admin:${password}@${host}`
  const service = await startService({
    name: 'the secured MySQL',
    command: commands.server,
    args: [
      ...data,
      ...[`--socket=${join(home, 'mysql.sock')}`, `--pid-file=${join(home, 'mysql.pid')}`],
      ...['--bind-address=127.0.0.1', `--port=${port}`, '--skip-name-resolve'],
      ...[`--init-file=${join(home, 'init.sql')}`, '--innodb-buffer-pool-size=32M', '--innodb-use-native-aio=OFF'],
      ...[`--ssl-cert=${files.cert}`, `--ssl-key=${files.key}`],
    ],
    cwd: home,
    log: join(directory, 'mysql.log'),
    address: host,
    answers: () => mysqlAnswers(admin),
  })
  try {
    await seedPrimary(admin)
    const sessions = await secure(admin)
    return { uri: readerUri(host), adminUri: admin, sessions, [Symbol.asyncDispose]: () => service.discard() }
  } catch (error) {
    await service.discard()
    throw error
  }
}

async function secure(admin: string): Promise<string[]> {
  const connection = await createConnection({ uri: admin })
  try {
    const [[reader]] = await connection.query<RowDataPacket[]>("SELECT host FROM mysql.user WHERE user = 'reader'")
    await connection.query('ALTER USER reader@? REQUIRE SSL', [reader?.host ?? reader?.Host])
    const [rows] = await connection.query<RowDataPacket[]>('SELECT DISTINCT session_id FROM parking.pm_parking_event')
    return rows.map((row) => row.session_id)
  } finally {
    await connection.end()
  }
}
