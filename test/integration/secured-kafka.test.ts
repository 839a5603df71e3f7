import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { AclEntry } from 'kafkajs'
import { MongoClient } from 'mongodb'
import { ROOT } from '../../local/build.ts'
import { removeAtEnd } from '../../local/native/guard.ts'
import { kafkajs } from '../../src/stream/kafkajs.ts'
import { type Authority, type Certificate, makeAuthority } from '../support/certificates.ts'
import { blocksOf, Terminal } from '../support/page-commands.ts'
import { isWaiting, launchProcessor, type Processor, startProcessor } from '../support/processor.ts'
import { startReadSide } from '../support/read-side.ts'
import { runMain } from '../support/run-main.ts'
import { newRunNames } from '../support/run-names.ts'
import { type SecuredKafka, startSecuredKafka } from '../support/secured-kafka.ts'
import { sharedServices, until } from '../support/services.ts'

const { mongodbUri } = sharedServices()
const { MONGODB_DATABASE } = newRunNames('secured')
const ANY = { name: 'somebody', password: 'secret of somebody' }
/** The name is that on the page. */
const ADMINISTRATOR = { name: 'admin', password: 'secret-of-the-administrator' }
/** As the page has drawn it. */
const passwordOf = (user: string) => readFileSync(join(directory, 'checkout', 'secrets', user), 'utf8').trim()
const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs

let directory: string
let authority: Authority
let foreign: Authority
let kafka: SecuredKafka
let terminal: Terminal
/** By the last command of docs/how-to/secure.md. */
let configShown: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pm-parking-secured-'))
  removeAtEnd(directory)
  authority = await makeAuthority(directory, 'ours')
  foreign = await makeAuthority(directory, 'theirs')
  kafka = await startSecuredKafka({ directory, authority, foreign, user: ANY, administrator: ADMINISTRATOR })
  const checkout = join(directory, 'checkout')
  await mkdir(join(checkout, 'secrets'), { recursive: true })
  for (const part of ['dist', 'node_modules', 'package.json']) await symlink(join(ROOT, part), join(checkout, part))
  await symlink(authority.file, join(checkout, 'secrets', 'ca.pem'))
  const blocks = blocksOf('docs/how-to/secure.md')
  const [wayIn] = blocks.filter(({ language }) => language === 'properties')
  await writeFile(join(checkout, 'admin.properties'), wayIn?.text.replace('…', ADMINISTRATOR.password) ?? '')
  await using page = new Terminal({}, checkout)
  await page.run(`export PATH=${kafka.tools}${delimiter}$PATH MONGODB_URI='${mongodbUri}'`)
  for (const { text } of blocks.filter(({ language }) => language === 'sh'))
    configShown = await page.run(text.replaceAll('kafka:9093', kafka.brokers.SASL), 60_000)
  terminal = new Terminal({}, checkout)
}, 180_000)

afterAll(async () => {
  await terminal?.[Symbol.asyncDispose]()
  await kafka?.[Symbol.asyncDispose]()
  await using mongo = new MongoClient(mongodbUri)
  await mongo.db(MONGODB_DATABASE).dropDatabase()
  await rm(directory, { recursive: true, force: true })
})

const trusting = () => ({ KAFKA_SSL: 'true', KAFKA_SSL_CA: authority.cert })
const as = (user: string, password = passwordOf(user), mechanism = 'scram-sha-512') => ({
  ...trusting(),
  KAFKA_BROKERS: kafka.brokers.SASL,
  KAFKA_SASL_MECHANISM: mechanism,
  KAFKA_SASL_USERNAME: user,
  KAFKA_SASL_PASSWORD: password,
  MONGODB_URI: mongodbUri,
  MONGODB_DATABASE,
})
const by = ({ cert, key }: Certificate) => ({
  ...trusting(),
  KAFKA_BROKERS: kafka.brokers.MUTUAL,
  KAFKA_SSL_CERT: cert,
  KAFKA_SSL_KEY: key,
})
const list = (env: Record<string, string>) => runMain(['dead-letters', 'list'], env)

describe('with the rights that docs/how-to/secure.md gives', () => {
  test('process makes its topics and runs, records come in, and all that looks at them sees them', async () => {
    await using processor = await startProcessor(as('parking-process'))
    const traffic = ['simulate', '--events', '300', '--malformed', '0.1', '--seed', 'secured']
    expect(await runMain(traffic, as('parking-producer'))).toMatchObject({ code: 0 })
    await until(async () => (await consumed(processor)) >= 300, { timeoutMs: 60_000, what: 'all records are read' })

    await using readSide = await startReadSide(as('parking-serve'))
    await until(async () => (await readSide.get('/v1/zones')).body.zones.length > 0, {
      timeoutMs: 30_000,
      what: 'serve has seen updates',
    })
    expect((await readSide.get('/metrics')).status).toBe(200)
    expect(readSide.log()).not.toContain('cannot be counted')

    const listed = await list(as('parking-operator'))
    expect(listed).toMatchObject({ code: 0, stdout: expect.stringMatching(/\d+ dead letters: /) })
    const [, at = ''] = /^(\d+:\d+) /m.exec(listed.stdout) ?? []
    expect(await runMain(['dead-letters', 'show', at], as('parking-operator'))).toMatchObject({ code: 0 })
    // What comes back while it runs would count as another letter.
    await processor.stop()
    const replay = await runMain(['dead-letters', 'replay', '--execute'], as('parking-operator'))
    expect(replay).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Replayed [1-9]\d* records/) })
  }, 180_000)

  test('tail, as a subscriber, prints the updates', async () => {
    const tail = await terminal.run(
      `timeout --preserve-status 8 env ${assigned({ ...as('parking-subscriber'), KAFKA_SSL_CA: '' })} KAFKA_SSL_CA_FILE=secrets/ca.pem node dist/main.js tail --from-beginning`,
      30_000,
    )
    expect(tail).toMatch(/ → .* session /)
  }, 40_000)

  test('process needs no right to make topics with CREATE_TOPICS=false; config shows how it comes in, and no secret', async () => {
    await without(allowing('parking-process', 'CREATE', 'TOPIC'), async () => {
      await using processor = await startProcessor({ ...as('parking-process'), CREATE_TOPICS: 'false' })
      await processor.stop()
    })
    expect(configShown).toContain('KAFKA_SASL_USERNAME=parking-process')
    expect(configShown).toContain('KAFKA_SASL_PASSWORD=***')
    expect(configShown).not.toContain(passwordOf('parking-process'))
  }, 90_000)
})

describe('who comes in', () => {
  test.each(['plain', 'scram-sha-256', 'scram-sha-512'])('by %s', async (mechanism) => {
    // Let in, but without any right: all topics are hidden.
    expect(await list(as(ANY.name, ANY.password, mechanism))).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/There is no topic parkmobile\.dead-letters: .* may read it/),
    })
    expect(await list(as(ANY.name, 'wrong', mechanism))).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^pm-parking-events dead-letters: Kafka refuses KAFKA_SASL_USERNAME, its password/),
    })
  })

  test('by a client certificate that the brokers trust', async () => {
    const [ours, expired, theirs] = (await Promise.all([
      authority.sign({ name: 'parking-operator' }),
      authority.sign({ name: 'parking-operator', expired: true }),
      foreign.sign({ name: 'parking-operator' }),
    ])) as [Certificate, Certificate, Certificate]
    expect(await list(by(ours))).toMatchObject({ code: 0 })
    const refused = /takes only clients with a certificate it trusts.* KAFKA_SSL_CERT with KAFKA_SSL_KEY/
    for (const certificate of [expired, theirs]) {
      expect(await list(by(certificate))).toMatchObject({ code: 1, stderr: expect.stringMatching(refused) })
    }
    const none = { ...trusting(), KAFKA_BROKERS: kafka.brokers.MUTUAL }
    expect(await list(none)).toMatchObject({ code: 1, stderr: expect.stringMatching(refused) })
    const mixed = { ...by(ours), KAFKA_SSL_KEY: theirs.key }
    expect(await list(mixed)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/the key that is set belongs to another/),
    })
    const locked = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'of a key' } as const
    const withPassphrase = { ...by(ours), KAFKA_SSL_KEY: createPrivateKey(ours.key).export(locked).toString() }
    expect(await list(withPassphrase)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/KAFKA_SSL_KEY cannot be used, a key only without a passphrase/),
    })
  }, 60_000)

  test.each([
    ['EXPIRED', /The broker has a certificate that has expired/],
    ['OTHERHOST', /The broker has a certificate for other hosts than the one that was asked for/],
    ['FOREIGN', /The broker has a certificate that none of the authorities trusted here has signed.*KAFKA_SSL_CA/],
  ] as const)('no broker whose certificate is wrong: %s', async (listener, message) => {
    const env = { ...as('parking-operator'), KAFKA_BROKERS: kafka.brokers[listener] }
    expect(await list(env)).toMatchObject({ code: 1, stderr: expect.stringMatching(message) })
  })

  test('a broker whose authority nobody named, or whose port speaks otherwise, is told', async () => {
    const { KAFKA_SSL_CA: _, ...untrusting } = as('parking-operator')
    expect(await list(untrusting)).toMatchObject({ code: 1, stderr: expect.stringMatching(/none of the authorities/) })
    const { KAFKA_SSL: __, ...plain } = untrusting
    const waits = await terminal.run(`timeout 3 env ${assigned(plain)} node dist/main.js dead-letters list || true`)
    expect(waits).toMatch(/Waiting for Kafka at .*is KAFKA_SSL right for this port\?/)
  }, 30_000)

  test('process waits when Kafka does not let it in, and says so', async () => {
    await using processor = launchProcessor(as('parking-process', 'wrong'))
    const says = () => /"reason":"Kafka refuses KAFKA_SASL_USERNAME[^}]*"waiting for kafka"/.test(processor.log())
    await until(says, { timeoutMs: 30_000, what: 'it says that it is refused' })
    expect(await isWaiting(processor)).toBe(true)
    expect(processor.log()).not.toContain(passwordOf('parking-process'))
  }, 60_000)
})

const TOPIC = 'parkmobile'
const ADD = '--add --allow-principal User:… --operation'

describe('of a right that is missing, process says which, and what gives it', () => {
  test.each([
    ['READ', 'TOPIC', `${TOPIC}.events`, `${TOPIC}.events does not exist and CREATE_TOPICS is false`],
    ['READ', 'TOPIC', `${TOPIC}.observations`, `${ADD} Read --topic ${TOPIC}.observations`],
    ['READ', 'TOPIC', `${TOPIC}.status-updates`, `${ADD} Read --topic ${TOPIC}.status-updates`],
    ['WRITE', 'TOPIC', `${TOPIC}.observations`, `${ADD} Write --topic ${TOPIC}.observations`],
    ['WRITE', 'TOPIC', `${TOPIC}.status-updates`, `${ADD} Write --topic ${TOPIC}.status-updates`],
    ['WRITE', 'TOPIC', `${TOPIC}.dead-letters`, `${TOPIC}.dead-letters does not exist and CREATE_TOPICS is false`],
    ['DESCRIBE_CONFIGS', 'TOPIC', `${TOPIC}.status-updates`, `${ADD} DescribeConfigs --topic ${TOPIC}.observations`],
    ['READ', 'GROUP', 'pm-parking-events-ingest', `${ADD} Read --group pm-parking-events-ingest`],
    ['READ', 'GROUP', 'pm-parking-events-status', `${ADD} Read --group pm-parking-events-status`],
    [
      'WRITE',
      'TRANSACTIONAL_ID',
      `${TOPIC}.status-updates:`,
      `${ADD} Write --transactional-id ${TOPIC}.status-updates:`,
    ],
  ] as const)(
    '%s %s %s',
    async (operation, type, name, told) => {
      await without(allowing('parking-process', operation, type, name), async () => {
        await using processor = launchProcessor({ ...as('parking-process'), CREATE_TOPICS: 'false' })
        if (told.includes('Write --topic parkmobile.observations')) {
          await runMain(['simulate', '--events', '50', '--seed', 'write'], as('parking-producer'))
        }
        await until(() => processor.log().includes(told), { timeoutMs: 30_000, what: `it says ${told}` })
      })
    },
    60_000,
  )

  test('and where it may not make a topic', async () => {
    await without(allowing('parking-process', 'CREATE', 'TOPIC'), async () => {
      const another = { ...as('parking-process'), EVENTS_TOPICS: 'another.events' }
      await using processor = launchProcessor(another)
      const told = `${ADD} Create --topic another.events`
      await until(() => processor.log().includes(told), { timeoutMs: 30_000, what: `it says ${told}` })
    })
  }, 60_000)

  test('a right that is taken while it runs makes it wait, and it goes on once the right is back', async () => {
    await using processor = await startProcessor(as('parking-process'))
    await without(allowing('parking-process', 'READ', 'GROUP', 'pm-parking-events-ingest'), async () => {
      await until(async () => (await processor.answers('/readyz')) === 503, { timeoutMs: 30_000, what: 'it waits' })
      expect(await (await fetch(`${processor.url}/readyz`)).text()).toContain('Read --group pm-parking-events-ingest')
      expect(await processor.answers('/healthz')).toBe(200)
    })
    await until(async () => (await processor.answers('/readyz')) === 200, { timeoutMs: 60_000, what: 'it goes on' })
    await processor.stop()
  }, 120_000)
})

test('serve without its right waits and says so, and goes on once it is there', async () => {
  await using readSide = await without(allowing('parking-serve', 'READ', 'TOPIC'), async () => {
    const started = await startReadSide(as('parking-serve'), { ready: false })
    const about = 'There is no topic parkmobile.status-updates'
    await until(() => started.log().includes(about), { timeoutMs: 30_000, what: 'it says what is missing' })
    expect((await started.get('/readyz')).status).toBe(503)
    return started
  })
  await until(async () => (await readSide.get('/readyz')).status === 200, { timeoutMs: 30_000, what: 'it is ready' })
  await readSide.stop()
}, 90_000)

const consumed = async (processor: Processor): Promise<number> => {
  const samples = await processor.metrics()
  const ofInput = samples.filter(({ name }) => name === 'pm_input_records_total')
  return ofInput.reduce((sum, { value }) => sum + value, 0)
}

/** What stands before a command in a shell. */
const assigned = (env: Record<string, string>) =>
  Object.entries(env)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}='${value}'`)
    .join(' ')

/** Picks ACLs of a user. */
function allowing(
  user: string,
  operation: keyof typeof AclOperationTypes,
  type: keyof typeof AclResourceTypes,
  name?: string,
) {
  return {
    resourceType: AclResourceTypes[type],
    ...(name !== undefined && { resourceName: name }),
    resourcePatternType: ResourcePatternTypes.ANY,
    principal: `User:${user}`,
    operation: AclOperationTypes[operation],
    permissionType: AclPermissionTypes.ANY,
  }
}

/** Takes rights away, for as long as `work` goes on. */
async function without<T>(filter: ReturnType<typeof allowing>, work: () => Promise<T>): Promise<T> {
  const { filterResponses } = await kafka.admin.deleteAcls({ filters: [filter] })
  const taken = filterResponses.flatMap(({ matchingAcls }) => matchingAcls)
  expect(taken.length).toBeGreaterThan(0)
  const asGiven = ({
    resourceType,
    resourceName,
    resourcePatternType,
    principal,
    host,
    operation,
    permissionType,
  }: AclEntry) => ({
    ...{ resourceType, resourceName, resourcePatternType, principal, host, operation, permissionType },
  })
  try {
    return await work()
  } finally {
    await kafka.admin.createAcls({ acl: taken.map((acl) => asGiven(acl as AclEntry)) })
  }
}
