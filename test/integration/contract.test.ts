import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Parser } from '@asyncapi/parser'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Ajv } from 'ajv'
import { Kafka as CloudEventsKafka } from 'cloudevents'
import { kafkaClasspath } from '../../local/native/kafka.ts'
import { DEAD_LETTER_REASONS } from '../../src/contract/dead-letter.ts'
import { type JudgedRecord, readTopic } from '../support/judge.ts'
import { startProcessor } from '../support/processor.ts'
import { watchProgress } from '../support/progress.ts'
import { newRunNames } from '../support/run-names.ts'
import { dropDatabase, simulate } from '../support/run-traffic.ts'
import { sharedServices, until } from '../support/services.ts'

const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const { env } = sharedServices()
const names = newRunNames('contract')
const json = { KAFKA_BROKERS: env.KAFKA_BROKERS, MONGODB_URI: env.MONGODB_URI }
let updates: JudgedRecord[]
let letters: JudgedRecord[]
let inputs: JudgedRecord[]

const all = async (topic: string, transactional = false) => {
  const records: JudgedRecord[] = []
  for await (const record of readTopic(env.KAFKA_BROKERS, topic, { transactional })) records.push(record)
  return records
}

/** Some traffic through the real program; what it reads and writes stays in memory. */
beforeAll(async () => {
  await simulate(json, names, { events: 2_000, seed: 'contract', encoding: 'json' }, { malformed: 0.05 })
  await using progress = await watchProgress(env.KAFKA_BROKERS, names)
  await using processor = await startProcessor({ ...json, ...names })
  await progress.caughtUp(120_000)
  await processor.stop()
  updates = await all(names.STATUS_TOPIC, true)
  letters = await all(names.DEAD_LETTER_TOPIC)
  inputs = [...(await all(names.EVENTS_TOPICS)), ...(await all(names.RESPONSES_TOPICS))]
}, 300_000)
afterAll(async () => {
  await using progress = await watchProgress(env.KAFKA_BROKERS, names)
  await progress.cleanUp()
  await dropDatabase(env, names)
})

describe('schemas/asyncapi.yaml', () => {
  const text = readFileSync(fromRoot('schemas/asyncapi.yaml'), 'utf8')
  /** The schema of a message's part, with its references resolved. */
  async function check(message: string, part: 'payload' | 'headers') {
    const { document } = await new Parser().parse(text)
    const found = document?.components().messages().get(message)
    const schema = (part === 'payload' ? found?.payload() : found?.headers())?.json()
    return new Ajv({ strict: false, validateFormats: false }).compile(schema as object)
  }
  const jsonOf = ({ value }: JudgedRecord): unknown => (value === null ? null : JSON.parse(value.toString()))

  test('is valid AsyncAPI, without a remark', async () => {
    const { document, diagnostics } = await new Parser().parse(text)
    expect(diagnostics).toEqual([])
    expect(document?.version()).toMatch(/^3\./)
  })

  test('describes every status update, its headers and its key', async () => {
    const [payload, headers] = [await check('statusUpdate', 'payload'), await check('statusUpdate', 'headers')]
    expect(updates.length).toBeGreaterThan(1_000)
    for (const update of updates) {
      if (!payload(jsonOf(update))) throw new Error(JSON.stringify([update.value?.toString(), payload.errors]))
      if (!headers(update.headers)) throw new Error(JSON.stringify([update.headers, headers.errors]))
      const { session_id, event_id } = jsonOf(update) as { session_id: string | null; event_id: string }
      expect(update.key?.toString()).toBe(session_id ?? event_id)
    }
  })

  test('describes every dead letter, and knows every reason', async () => {
    const headers = await check('deadLetter', 'headers')
    expect(letters.length).toBeGreaterThan(50)
    for (const letter of letters) {
      if (!headers(letter.headers)) throw new Error(JSON.stringify([letter.headers, headers.errors]))
    }
    const { properties } = headers.schema as { properties: { dead_letter_reason: { enum: string[] } } }
    expect([...properties.dead_letter_reason.enum].sort()).toEqual([...DEAD_LETTER_REASONS].sort())
  })

  test('describes every record that the program took', async () => {
    const dead = new Set(
      letters.map(({ headers }) =>
        ['topic', 'partition', 'offset'].map((part) => headers[`dead_letter_source_${part}`]).join('/'),
      ),
    )
    const checks = { event: await check('event', 'payload'), response: await check('response', 'payload') }
    let checked = 0
    for (const record of inputs) {
      const { topic, partition, offset, value } = record
      if (value === null || dead.has(`${topic}/${partition}/${offset}`)) continue
      const payload = checks[topic === names.EVENTS_TOPICS ? 'event' : 'response']
      if (!payload(JSON.parse(value.toString()))) throw new Error(JSON.stringify([String(value), payload.errors]))
      checked++
    }
    expect(checked).toBeGreaterThan(1_500)
  })

  test('names the topics of the default settings', async () => {
    const { document } = await new Parser().parse(text)
    const { VARIABLES } = await import('../../src/settings/variables.ts')
    const named = ['EVENTS_TOPICS', 'RESPONSES_TOPICS', 'STATUS_TOPIC', 'DEAD_LETTER_TOPIC'] as const
    const addresses = document
      ?.channels()
      .all()
      .map((channel) => channel.address())
    expect(addresses).toEqual(named.map((name) => VARIABLES[name].fallback))
  })
})

test('the SDK of CloudEvents takes each status update for a valid event', () => {
  for (const { headers, key, value } of updates) {
    const message = { headers, key: String(key), value: String(value), body: String(value) }
    expect(CloudEventsKafka.isEvent(message)).toBe(true)
    const event = CloudEventsKafka.toEvent(message)
    expect(event).toMatchObject({ specversion: '1.0', source: '/pm-parking-events', id: headers.ce_id })
    expect((event as unknown as { validate(): boolean }).validate()).toBe(true)
  }
})

describe('the examples of docs/examples follow the statuses', () => {
  /** What each change must make them print, in any order of the keys. */
  const expected = () =>
    updates
      .filter(({ headers }) => headers.ce_type === 'parking.status.changed')
      .map(({ key, value }) => {
        const { kind, previous_status, status } = JSON.parse(String(value))
        return `${key} ${kind}: ${previous_status ?? 'new'} -> ${status}`
      })
      .sort()

  async function run(command: string, args: string[]): Promise<string[]> {
    const settings = {
      KAFKA_BROKERS: env.KAFKA_BROKERS,
      STATUS_TOPIC: names.STATUS_TOPIC,
      GROUP_ID: `${names.KAFKA_GROUP_ID}-${command}`,
    }
    const child = spawn(command === 'node' ? process.execPath : command, args, {
      env: { PATH: process.env.PATH ?? '', ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [printed, complaints] = ['', '']
    child.stdout.on('data', (text) => {
      printed += text
    })
    child.stderr.on('data', (text) => {
      complaints += text
    })
    const lines = () => printed.split('\n').slice(0, -1)
    const ended = once(child, 'close')
    let hasEnded = false
    ended.then(() => {
      hasEnded = true
    })
    const isDone = async () => hasEnded || lines().length >= expected().length
    await until(isDone, { timeoutMs: 60_000, what: `${command} prints all changes` }).catch((error: Error) => {
      throw new Error(`${error.message}: ${lines().length} of ${expected().length}\n${complaints}`)
    })
    child.kill('SIGTERM')
    await ended
    if (lines().length < expected().length) throw new Error(complaints)
    return lines().sort()
  }

  test('in TypeScript', async () => {
    expect(await run('node', ['--no-warnings', fromRoot('docs/examples/subscribe.ts')])).toEqual(expected())
  }, 120_000)

  test('in Java', async () => {
    const quiet = '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'
    const args = [quiet, '-cp', await kafkaClasspath(), fromRoot('docs/examples/Subscribe.java')]
    expect(await run('java', args)).toEqual(expected())
  }, 120_000)
})

test('a service finds what it needs in the package, by its name', async () => {
  const script = `import { cardTokens, CHANGED_TYPE, DEAD_LETTER_HEADERS } from 'pm-parking-events/contract'
    import { factsOf } from 'pm-parking-events/facts'
    import { readBack } from 'pm-parking-events/read-back'
    const { plate } = factsOf(readBack({ http_status: 200, response: { session_data: { LicensePlate: 'ABC-123' } } }))
    console.log(plate, CHANGED_TYPE, DEAD_LETTER_HEADERS.reason, cardTokens('4111 1111-1111 1111', ['new key', 'old key']).length)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: fromRoot('.'),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let printed = ''
  child.stdout.on('data', (text) => {
    printed += text
  })
  await once(child, 'close')
  expect(printed).toBe('ABC-123 parking.status.changed dead_letter_reason 2\n')
})
