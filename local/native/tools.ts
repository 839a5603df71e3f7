import { join } from 'node:path'
import { run } from './install.ts'

/** What a native service needs on this machine. */
export interface Tool {
  what: string
  remedy: string
  present: () => Promise<boolean>
}

const answers = (command: string, args: string[]) => () =>
  run(command, args).then(
    () => true,
    () => false,
  )

export const JAVA: Tool = {
  what: 'Java 17 or newer (java)',
  remedy: 'openjdk-17-jre-headless',
  present: () =>
    run('java', ['-version']).then(
      (output) => Number(/version "(\d+)/.exec(output)?.[1]) >= 17,
      () => false,
    ),
}

export const MAVEN: Tool = { what: 'Maven (mvn)', remedy: 'maven', present: answers('mvn', ['-v']) }

export const PIP: Tool = {
  what: 'Python 3 with pip (python3 -m pip)',
  remedy: 'python3 python3-pip',
  present: answers('python3', ['-m', 'pip', '--version']),
}

export const GO: Tool = { what: 'Go 1.17 or newer (go)', remedy: 'golang-go', present: answers('go', ['version']) }

/** A package puts the server where not everybody's PATH looks. */
const SERVER_DIRECTORIES = ['', '/usr/sbin', '/usr/local/sbin', '/usr/libexec']

/** The server of MariaDB, and the script that makes its first data; null when one of them is missing. */
export async function mariadbCommands(): Promise<{ server: string; install: string } | null> {
  const servers = SERVER_DIRECTORIES.flatMap((directory) => ['mariadbd', 'mysqld'].map((name) => join(directory, name)))
  const server = await firstOf(servers, (command) => run(command, ['--version']).then((text) => /mariadb/i.test(text)))
  const installs = ['mariadb-install-db', 'mysql_install_db']
  const install = await firstOf(installs, (command) => run('sh', ['-c', 'command -v "$0"', command]).then(() => true))
  return server === null || install === null ? null : { server, install }
}

async function firstOf(commands: string[], fits: (command: string) => Promise<boolean>): Promise<string | null> {
  for (const command of commands) if (await fits(command).catch(() => false)) return command
  return null
}

export const MARIADB: Tool = {
  what: 'MariaDB (mariadbd and mariadb-install-db)',
  remedy: 'mariadb-server',
  present: async () => (await mariadbCommands()) !== null,
}

/** Throws one error that names every tool that is missing, and the ways out. */
export async function assertPresent(tools: Tool[]): Promise<void> {
  const wanted = [...new Set(tools)]
  const present = await Promise.all(wanted.map((tool) => tool.present()))
  const missing = wanted.filter((_, index) => !present[index])
  if (missing.length === 0) return
  throw new Error(
    `Kafka, MongoDB, the schema registry or MySQL are not given by the environment, no Docker engine answers, and to run ` +
      `them natively this machine lacks: ${missing.map(({ what }) => what).join(', ')}.\n` +
      `Install it (on Debian or Ubuntu: apt-get install ${missing.map(({ remedy }) => remedy).join(' ')}), ` +
      `or start Docker, or set KAFKA_BROKERS, MONGODB_URI, SCHEMA_REGISTRY_URL and PRIMARY_MYSQL_URI.`,
  )
}
