import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import type { Consumer, EachBatchPayload } from 'kafkajs'
import { pino } from 'pino'
import { createTurns, type Turn } from '../../../src/stream/turns.ts'

/**
 * What happens between two fetches of two brokers, moment by moment, which no real cluster does when told. `commits` are the
 * commits that wait to be answered; each handler waits for its own `finish`.
 */
function staged() {
  const consumer = { on: () => {}, events: {} } as unknown as Consumer
  const commits: { fail(): void }[] = []
  const taken: { turn: Turn; finish(): void }[] = []
  const onBatch = (_: unknown, __: string, turn: Turn) =>
    new Promise<void>((finish) => {
      taken.push({ turn, finish })
    })
  const turns = createTurns(consumer, onBatch, pino({ level: 'silent' }))
  const payload = {
    batch: { topic: 't', partition: 0, messages: [], lastOffset: () => '1', firstOffset: () => '0' },
    heartbeat: async () => {},
    resolveOffset: () => {},
    commitOffsetsIfNecessary: () =>
      new Promise((_, reject) => {
        commits.push({ fail: () => reject(new Error('no coordinator')) })
      }),
  } as unknown as EachBatchPayload
  return { turns, taken, commits, take: () => turns.take(payload) }
}

test('a batch that comes while others still end is neither taken nor given back at once', async () => {
  const { turns, taken, take } = staged()
  const first = take()
  turns.end()
  const before = performance.now()
  await take()
  expect(performance.now() - before).toBeGreaterThan(90)
  expect(taken).toHaveLength(1)
  taken[0]?.finish()
  await first
  const next = take()
  expect(taken[1]?.turn.signal.aborted).toBe(false)
  taken[1]?.finish()
  await next
})

test('a turn that begins while what came before it still commits can be ended too', async () => {
  const { turns, taken, commits, take } = staged()
  const first = take()
  turns.end()
  taken[0]?.turn.done('1')
  taken[0]?.finish()
  commits[0]?.fail()
  await sleep(10)
  const second = take()
  await sleep(150) // it is given back, and waits for the commit that the first waits for
  commits[1]?.fail()
  await first
  const third = take()
  commits[2]?.fail()
  await second
  expect(taken[1]?.turn.signal.aborted).toBe(false)
  turns.end()
  expect(taken[1]?.turn.signal.aborted).toBe(true)
  taken[1]?.finish()
  await sleep(10)
  commits[3]?.fail()
  await third
})
