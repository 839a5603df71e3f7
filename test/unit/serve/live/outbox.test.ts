import { setImmediate as yieldOnce } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import type { Listener } from '../../../../src/serve/live/hub.ts'
import { createOutbox } from '../../../../src/serve/live/outbox.ts'
import { EVERYTHING } from './stream-model.ts'

function listenerThat(deliver: Listener['deliver']): Listener {
  return { filter: EVERYTHING, isGone: false, waiting: () => 0, drained: async () => {}, drop: () => {}, deliver }
}

const text = (frames: readonly Uint8Array[]) => Buffer.concat(frames).toString()

test('frames come in order, together where there was no time between', async () => {
  const got: string[] = []
  const listener = listenerThat((frames) => got.push(text(frames)))
  const outbox = createOutbox()
  for (const one of ['a', 'b']) outbox.put(listener, Buffer.from(one))
  await yieldOnce()
  outbox.put(listener, Buffer.from('c'))
  outbox.flush(listener)
  outbox.put(listener, Buffer.from('d'))
  outbox.forget(listener)
  await yieldOnce()
  await yieldOnce()
  expect(got).toEqual(['ab', 'c'])
})

test('others get a turn while thousands are handed something, and who brings more waits', async () => {
  let handed = 0
  const busy = () => {
    for (const end = performance.now() + 0.2; performance.now() < end; );
    handed++
  }
  const outbox = createOutbox()
  await outbox.settled()
  for (let i = 0; i < 1_000; i++) outbox.put(listenerThat(busy), Buffer.from('x'))
  let turns = 0
  for (const began = performance.now(); performance.now() - began < 120; turns++) await yieldOnce()
  expect(turns).toBeGreaterThan(3)
  expect(handed).toBeLessThan(1_000)
  await outbox.settled()
  expect(handed).toBe(1_000)
})
