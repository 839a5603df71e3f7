import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { type JudgedRecord, readTopic } from '../support/judge.ts'
import { watchProgress } from '../support/progress.ts'
import { runMain, startMain } from '../support/run-main.ts'
import { newRunNames, type RunNames } from '../support/run-names.ts'
import { sharedServices, until } from '../support/services.ts'

const TIMEOUT_MS = 180_000

/** Runs with topics of its own, which are gone afterwards. */
async function withNames<T>(use: (names: RunNames, env: Record<string, string>) => Promise<T>): Promise<T> {
  const { env } = sharedServices()
  const names = newRunNames('simulate')
  try {
    return await use(names, { ...env, ...names, LOG_LEVEL: 'warn' })
  } finally {
    await using progress = await watchProgress(env.KAFKA_BROKERS, names)
    await progress.cleanUp()
  }
}

async function recordsOf(topic: string): Promise<JudgedRecord[]> {
  const records: JudgedRecord[] = []
  for await (const record of readTopic(sharedServices().env.KAFKA_BROKERS, topic)) records.push(record)
  return records
}

/** What was sent, by partition, without the times that the broker gives. */
const contents = (records: JudgedRecord[]) =>
  records
    .map(
      ({ partition, offset, key, value }) => [partition, offset, String(key), value?.toString('hex') ?? null] as const,
    )
    .toSorted(([a, x], [b, y]) => a - b || x - y)

describe('simulate', () => {
  test(
    'sends the same records to the same partitions for a seed and a start',
    async () => {
      const send = () =>
        withNames(async (names, env) => {
          const args = ['simulate', '--events', '2000', '--seed', 'twice', '--start', '2024-06-01T00:00:00Z']
          expect(await runMain(args, env)).toMatchObject({ code: 0 })
          return [contents(await recordsOf(names.EVENTS_TOPICS)), contents(await recordsOf(names.RESPONSES_TOPICS))]
        })
      const [first, second] = [await send(), await send()]
      expect(first).toEqual(second)
    },
    TIMEOUT_MS,
  )

  test(
    'tells what it has sent, on standard output and in the manifest',
    async () => {
      await withNames(async (names, env) => {
        const directory = await mkdtemp(join(tmpdir(), 'simulate-'))
        const manifest = join(directory, 'manifest.json')
        const args = ['simulate', '--events', '1500', '--encoding', 'mixed', '--json', '--manifest', manifest]
        const { stdout } = await runMain(args, env)
        const told = JSON.parse(stdout)
        const written = JSON.parse(await readFile(manifest, 'utf8'))
        await rm(directory, { recursive: true })
        const events = await recordsOf(names.EVENTS_TOPICS)
        const responses = await recordsOf(names.RESPONSES_TOPICS)
        const tombstones = [...events, ...responses].filter(({ value }) => value === null)
        expect(written).toEqual(told)
        expect(told.summary).toMatchObject({
          records: 1500,
          byTopic: { [names.EVENTS_TOPICS]: events.length, [names.RESPONSES_TOPICS]: responses.length },
          byCategory: { tombstone: tombstones.length },
        })
      })
    },
    TIMEOUT_MS,
  )

  test(
    'goes on at its rate until it is told to stop, and then ends well',
    async () => {
      await withNames(async (_, env) => {
        const run = startMain(['simulate', '--rate', '200', '--json'], env)
        await using progress = await watchProgress(env.KAFKA_BROKERS ?? '', _)
        await until(async () => (await progress.left()) >= 100, { timeoutMs: 60_000, what: 'there are 100 records' })
        run.child.kill('SIGTERM')
        expect(await run.ended).toBe(0)
        expect(JSON.parse(run.stdout()).summary.records).toBeGreaterThanOrEqual(100)
      })
    },
    TIMEOUT_MS,
  )

  test('says what is wrong with its arguments, and how to see more', async () => {
    const { code, stderr } = await runMain(['simulate', '--late', '7'])
    expect([code, stderr]).toEqual([2, expect.stringContaining('--late 7: give a share of at most 0.9')])
  })

  test('needs a registry for Avro and says so', async () => {
    const { SCHEMA_REGISTRY_URL: _, ...env } = sharedServices().env
    const { code, stderr } = await runMain(['simulate', '--encoding', 'avro'], env)
    expect([code, stderr]).toEqual([1, expect.stringContaining('set SCHEMA_REGISTRY_URL')])
  })
})
