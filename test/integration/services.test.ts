import { execFile, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { access, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry'
import { MongoClient } from 'mongodb'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { ROOT } from '../../local/build.ts'
import { dockerAnswers } from '../../local/docker-engine.ts'
import { installed } from '../../local/native/install.ts'
import { seededRows } from '../../local/primary-seed.ts'
import { kafkaClasspath, type Services, startServices } from '../../local/services.ts'
import { kafkajs } from '../../src/stream/kafkajs.ts'
import { createTopic } from '../../src/stream/topics.ts'
import { freshServices, sharedServices, until } from '../support/services.ts'

const MINUTE = 60_000
const run = promisify(execFile)

describe('services of one test alone', () => {
  let services: Services

  beforeAll(async () => {
    services = await freshServices({ registry: true, mysql: true })
  }, 3 * MINUTE)

  afterAll(async () => {
    await services?.[Symbol.asyncDispose]()
  })

  test('are others than the shared ones', () => {
    const shared = sharedServices()
    expect(services.env.KAFKA_BROKERS).not.toBe(shared.env.KAFKA_BROKERS)
    expect(services.env.MONGODB_URI).not.toBe(shared.env.MONGODB_URI)
    expect(services.env.SCHEMA_REGISTRY_URL).not.toBe(shared.env.SCHEMA_REGISTRY_URL)
    expect(services.env.PRIMARY_MYSQL_URI).not.toBe(shared.primaryUri)
  })

  test(
    'a broker keeps address and topics over a stop, a crash and a pause',
    async () => {
      const kafka = new kafkajs.Kafka({
        brokers: [services.env.KAFKA_BROKERS],
        connectionTimeout: 1_000,
        requestTimeout: 3_000,
        logLevel: kafkajs.logLevel.NOTHING,
      })
      const topics = async () => {
        const admin = kafka.admin({ retry: { retries: 0 } })
        await admin.connect()
        return admin.listTopics().finally(() => admin.disconnect())
      }
      const admin = kafka.admin()
      await admin.connect()
      await createTopic(admin, 'kept', 2)
      await admin.disconnect()

      await services.kafka.stop()
      await expect(topics()).rejects.toThrow()
      await services.kafka.start()
      expect(await topics()).toContain('kept')
      await services.kafka.kill()
      await services.kafka.start()
      expect(await topics()).toContain('kept')
      await services.kafka.pause()
      await expect(topics()).rejects.toThrow()
      await services.kafka.resume()
      await until(async () => (await topics()).includes('kept'), {
        timeoutMs: 30_000,
        what: 'the topic is listed again',
      })
    },
    2 * MINUTE,
  )

  test(
    'a database keeps address and documents over a stop, a crash and a pause',
    async () => {
      const client = new MongoClient(services.env.MONGODB_URI, { serverSelectionTimeoutMS: 20_000 })
      const kept = client.db('outage').collection<{ _id: string }>('kept')
      await kept.insertOne({ _id: 'one' }, { writeConcern: { w: 'majority' } })
      await services.mongodb.stop()
      await services.mongodb.start()
      expect(await kept.countDocuments()).toBe(1)
      await services.mongodb.kill()
      await services.mongodb.start()
      expect(await kept.countDocuments()).toBe(1)
      await services.mongodb.pause()
      await expect(ping(services.env.MONGODB_URI)).rejects.toThrow()
      await services.mongodb.resume()
      expect(await kept.countDocuments()).toBe(1)
      await client.close()
    },
    2 * MINUTE,
  )

  test(
    'a primary store keeps address and rows over a stop, a crash and a pause',
    async () => {
      const uri = services.env.PRIMARY_MYSQL_URI as string
      const rows = () => count(uri, 'pm_parking_event')
      const before = await rows()
      expect(before).toBeGreaterThan(200)
      await services.mysql?.stop()
      await expect(rows()).rejects.toThrow()
      await services.mysql?.start()
      expect(await rows()).toBe(before)
      await services.mysql?.kill()
      await services.mysql?.start()
      expect(await rows()).toBe(before)
      await services.mysql?.pause()
      await expect(rows()).rejects.toThrow()
      await services.mysql?.resume()
      expect(await rows()).toBe(before)
    },
    MINUTE,
  )

  test('who reads the primary store can do nothing else there', async () => {
    const reader = await createConnection(services.env.PRIMARY_MYSQL_URI as string)
    for (const sql of ['DELETE FROM pm_parking_event', 'CREATE TABLE mine (a INT)', 'SELECT user FROM mysql.user']) {
      await expect(reader.query(sql)).rejects.toThrow('command denied')
    }
    await reader.end()
    const admin = await createConnection(services.mysqlAdmin as string)
    await admin.query('CREATE DATABASE mine')
    await admin.query('CREATE TABLE mine.own (a INT)')
    await admin.end()
  })

  test('the sessions of the primary store are the same every time, and lately', () => {
    const now = Date.now()
    const [one, other] = [seededRows(new Date(now)), seededRows(new Date(now + MINUTE))]
    const ids = new Set(one.map(({ session_id: id }) => id as string))
    expect(new Set(other.map(({ session_id: id }) => id))).toEqual(ids)
    expect([...ids].filter((id) => /^IC\d{14}N$/.test(id)).length).toBeGreaterThan(50)
    expect([...ids].filter((id) => /^\d+$/.test(id)).length).toBeGreaterThan(10)
    const parked = one.filter(({ parking_stop_time_UTC: stop }) => (stop as Date).getTime() > now)
    expect(parked.length).toBeGreaterThan(5)
    for (const { created_at: at } of one) expect(now - (at as Date).getTime()).toBeLessThan(8 * 24 * 60 * MINUTE)
    expect(one.some(({ amount }) => amount === null)).toBe(true)
  })

  test(
    'a registry keeps address and schemas over a stop and a crash',
    async () => {
      const host = services.env.SCHEMA_REGISTRY_URL as string
      const schema = { type: 'record', name: 'Kept', namespace: 'test', fields: [{ name: 'id', type: 'string' }] }
      const written = new SchemaRegistry({ host })
      const { id } = await written.register(
        { type: SchemaType.AVRO, schema: JSON.stringify(schema) },
        { subject: 'kept' },
      )
      const bytes = await written.encode(id, { id: 'one' })
      await services.registry?.stop()
      await services.registry?.start()
      await services.registry?.kill()
      await services.registry?.start()
      expect(await new SchemaRegistry({ host }).decode(bytes)).toEqual({ id: 'one' })
    },
    2 * MINUTE,
  )
})

describe('services that the environment names', () => {
  test('are used as they are, and are not ours to stop', async () => {
    const services = await startServices({ registry: true, mysql: true })
    const how = 'environment'
    expect(services.how).toEqual({ kafka: how, mongodb: how, registry: how, mysql: how })
    const { env, primaryUri, primaryAdminUri } = sharedServices()
    expect(services.env).toEqual({ ...env, PRIMARY_MYSQL_URI: primaryUri })
    expect(services.mysqlAdmin ?? primaryUri).toBe(primaryAdminUri)
    await expect(services.kafka.stop()).rejects.toThrow('KAFKA_BROKERS')
    await expect(services.mysql?.pause()).rejects.toThrow('PRIMARY_MYSQL_URI')
    await services[Symbol.asyncDispose]()
  })

  test('Java finds the console consumer on the class path', async () => {
    const consumer = 'org.apache.kafka.tools.consumer.ConsoleConsumer'
    const { stdout } = await run('java', ['-cp', await kafkaClasspath(), consumer, '--version'])
    expect(stdout).toMatch(/^4\.1\./)
  })
})

describe('what was started', () => {
  let directory: string

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pm-services-test-'))
  })

  afterAll(() => rm(directory, { recursive: true, force: true }))

  test.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('ends with its starter, even by %s', async (signal) => {
    const starter = join(directory, `${signal}.ts`)
    const data = join(directory, `data of ${signal}`)
    await mkdir(data)
    await writeFile(
      starter,
      `import { removeAtEnd } from ${JSON.stringify(join(ROOT, 'local/native/guard.ts'))}
       import { startService } from ${JSON.stringify(join(ROOT, 'local/native/process.ts'))}
       const cwd = ${JSON.stringify(data)}
       removeAtEnd(cwd)
       // A shell and its child, both deaf to anything but a kill.
       const args = ['-c', "trap '' HUP INT TERM; sleep 600 & echo $$ $! > ../${signal}.pids; wait"]
       await startService({ name: 'sleep', command: 'sh', args, cwd, log: 'log', address: '', answers: async () => true })
       setInterval(() => undefined, 1_000)`,
    )
    const child = spawn(process.execPath, ['--no-warnings', starter], { cwd: directory, stdio: 'inherit' })
    try {
      const pids = await until(
        async () => {
          // The file is there a moment before what is in it.
          const [, ...both] = /^(\d+) (\d+)$/m.exec(await readFile(join(directory, `${signal}.pids`), 'utf8')) ?? []
          return both.length > 0 ? both.map(Number) : null
        },
        { timeoutMs: MINUTE, what: 'the starter has started something' },
      )
      expect(pids.map(isAlive)).toEqual([true, true])
      child.kill(signal)
      await until(() => !pids.some(isAlive), { timeoutMs: 10_000, what: 'what it started has ended' })
      await until(() => fails(access(data)), { timeoutMs: 10_000, what: 'its directory is gone' })
    } finally {
      child.kill('SIGKILL')
    }
  })

  test('two that install at once both get a whole package, installed once', async () => {
    const before = process.env.XDG_CACHE_HOME
    process.env.XDG_CACHE_HOME = join(directory, 'cache')
    try {
      const fill = (words: string) => async (target: string) => {
        await writeFile(join(target, 'a'), words)
        await until(() => filled.push(words) >= 2, { timeoutMs: 5_000, what: 'both are at it' })
        await writeFile(join(target, 'b'), words)
      }
      const filled: string[] = []
      const install = (words: string) =>
        installed({ directory: 'thing-1', what: 'Installing thing', fill: fill(words) }, () => undefined)
      const [one, other] = await Promise.all([install('first'), install('second')])
      expect(one).toBe(other)
      expect(await readFile(join(one, 'a'), 'utf8')).toBe(await readFile(join(one, 'b'), 'utf8'))
      const { stdout } = await run('ls', ['-A', join(directory, 'cache', 'pm-parking-events')])
      expect(stdout.trim()).toBe('thing-1')
    } finally {
      if (before === undefined) delete process.env.XDG_CACHE_HOME
      else process.env.XDG_CACHE_HOME = before
    }
  })

  test('a machine without Java, Maven, Python and MariaDB is told what to install', async () => {
    const bare = join(directory, 'bin')
    await mkdir(bare)
    await symlink('/bin/sh', join(bare, 'sh'))
    const script = `import(${JSON.stringify(join(ROOT, 'local/services.ts'))})
      .then(({ startServices }) => startServices({ registry: true, mysql: true }))
      .catch((error) => console.log(error.message))`
    const { stdout } = await run(process.execPath, ['--no-warnings', '-e', script], {
      env: { PATH: bare, HOME: directory, DOCKER_HOST: `unix://${join(directory, 'no.sock')}` },
    })
    expect(stdout).toContain('Java 17 or newer (java), Maven (mvn), Python 3 with pip')
    expect(stdout).toContain('MariaDB (mariadbd and mariadb-install-db)')
    expect(stdout).toContain('apt-get install openjdk-17-jre-headless maven python3 python3-pip mariadb-server')
    expect(stdout).toContain('PRIMARY_MYSQL_URI')
  })
})

describe('looking for a Docker engine', () => {
  let silent: Server
  let directory: string
  let socket: string

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pm-docker-test-'))
    socket = join(directory, 'docker.sock')
    silent = createServer(() => undefined)
    await new Promise<void>((resolve) => silent.listen(socket, resolve))
  })

  afterAll(async () => {
    silent.close()
    await rm(directory, { recursive: true, force: true })
  })

  test.each([
    ['is not there', () => `unix://${socket}-not`],
    ['accepts and never answers', () => `unix://${socket}`],
    ['refuses', () => 'tcp://127.0.0.1:1'],
  ])('takes less than three seconds when it %s', async (_, host) => {
    const began = Date.now()
    expect(await dockerAnswers({ DOCKER_HOST: host() })).toBe(false)
    expect(Date.now() - began).toBeLessThan(3_000)
  })
})

/** A process that is there and is no zombie that nobody has asked after. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

async function count(uri: string, table: string): Promise<number> {
  const connection = await createConnection({ uri, connectTimeout: 1_000 })
  const [rows] = await connection.query<RowDataPacket[]>({ sql: `SELECT COUNT(*) AS n FROM ${table}`, timeout: 2_000 })
  connection.destroy()
  return rows[0]?.n
}

async function ping(uri: string): Promise<void> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 1_000, connectTimeoutMS: 1_000 })
  await client
    .db('admin')
    .command({ ping: 1 })
    .finally(() => client.close())
}

const fails = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => false,
    () => true,
  )
