import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OwnService } from '../controllable.ts'
import { freePorts } from '../ports.ts'
import { PRIMARY_DATABASE, readerUri, seedPrimary } from '../primary-seed.ts'
import { type Progress, step } from '../progress.ts'
import { mysqlAnswers } from '../ready.ts'
import { run } from './install.ts'
import { type Launch, startService } from './process.ts'
import { MARIADB, mariadbCommands, type Tool } from './tools.ts'

/** The primary store; its address is that of a user who can only read. */
export interface PrimaryService extends OwnService {
  /** Address of a user who may do everything. */
  readonly admin: string
}

export const mysqlTools = async (): Promise<Tool[]> => [MARIADB]

/** A MariaDB on loopback with the rows of local/primary-seed.ts, its data under `directory`. */
export function startMysql(directory: string, progress: Progress): Promise<PrimaryService> {
  return step(progress, 'Starting MySQL', async () => {
    const commands = await mariadbCommands()
    if (commands === null) throw new Error(`${MARIADB.what} is not on this machine: install ${MARIADB.remedy}`)
    const home = join(directory, 'mysql')
    await mkdir(home)
    await run(commands.install, [...installArguments(home), ...asRoot()])

    const [port] = (await freePorts(1)) as [number]
    const password = randomBytes(12).toString('hex')
    await writeFile(join(home, 'init.sql'), usersOf(password), { mode: 0o600 })
    const host = `127.0.0.1:${port}`
    const admin = `mysql://admin:${password}@${host}`
    const launch: Launch = {
      name: 'MySQL',
      command: commands.server,
      args: [...serverArguments(home, port), ...asRoot()],
      cwd: home,
      log: join(directory, 'mysql.log'),
      address: readerUri(host),
      answers: () => mysqlAnswers(admin),
    }
    const service = await startService(launch)
    await seedPrimary(admin).catch(async (error) => {
      await service.discard()
      throw error
    })
    return { ...service, admin: `${admin}/${PRIMARY_DATABASE}` }
  })
}

/** The server runs as another user than root only where that one may read the directory. */
const asRoot = (): string[] => (process.getuid?.() === 0 ? ['--user=root'] : [])

const LOG_SIZE = '--innodb-log-file-size=16M'

const installArguments = (home: string): string[] => [
  ...['--no-defaults', `--datadir=${join(home, 'data')}`, '--auth-root-authentication-method=normal'],
  ...['--skip-test-db', '--skip-name-resolve', LOG_SIZE],
]

/** Little memory, and a commit survives the end of the process, though not that of the machine. */
const serverArguments = (home: string, port: number): string[] => [
  ...['--no-defaults', `--datadir=${join(home, 'data')}`, `--socket=${join(home, 'mysql.sock')}`],
  ...['--bind-address=127.0.0.1', `--port=${port}`, '--skip-name-resolve', `--pid-file=${join(home, 'mysql.pid')}`],
  ...[`--init-file=${join(home, 'init.sql')}`, '--character-set-server=utf8mb4', '--performance-schema=OFF'],
  ...['--innodb-buffer-pool-size=32M', LOG_SIZE, '--innodb-flush-log-at-trx-commit=2', '--innodb-use-native-aio=OFF'],
  ...['--key-buffer-size=1M', '--aria-pagecache-buffer-size=8M'],
]

/**
 * Run at every start, before anybody is let in: one statement a line. Of the users that are made with the data, those
 * without a name would be taken for ours, and root has no password: it stays for the socket, which lies in a
 * directory of our own.
 */
const usersOf = (password: string): string => `\
DROP USER IF EXISTS ''@'localhost';
DROP USER IF EXISTS 'root'@'127.0.0.1', 'root'@'::1';
CREATE USER IF NOT EXISTS 'admin'@'127.0.0.1' IDENTIFIED BY '${password}';
GRANT ALL PRIVILEGES ON *.* TO 'admin'@'127.0.0.1' WITH GRANT OPTION;
`
