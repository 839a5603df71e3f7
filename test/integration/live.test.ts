import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { quietKafka } from '../../local/quiet-kafka.ts'
import { createUpdateReader } from '../../src/commands/read-update.ts'
import type { StatusUpdate } from '../../src/contract/status-update.ts'
import { createBoard } from '../../src/serve/live/board.ts'
import type { Listener } from '../../src/serve/live/hub.ts'
import { createLive, type Live } from '../../src/serve/live/live.ts'
import { openHeadsInMemory } from '../../src/status/heads/memory.ts'
import { newRunNames } from '../support/run-names.ts'
import { sharedServices, until } from '../support/services.ts'
import { openStatusTopic, type StatusTopic, updateOf } from '../support/status-topic.ts'

/** What the status topic tells, in this process, so that the order can be seen in which things happen. */
const { env } = sharedServices()
const { STATUS_TOPIC } = newRunNames('live')
const DAY_MS = 86_400_000
const stop = new AbortController()
const told: string[] = []
let topic: StatusTopic
let live: Live
let ended: Promise<void>
let isReady = false

beforeAll(async () => {
  topic = await openStatusTopic(env.KAFKA_BROKERS, STATUS_TOPIC, 2)
  await topic.commit(0, [updateOf(0, { event_id: 'while starting' })])
  live = createLive({
    ...{ kafka: quietKafka(env.KAFKA_BROKERS, 'live'), topic: STATUS_TOPIC, openHeads: openHeadsInMemory },
    changed: (subject) => told.push(subject),
    board: createBoard({ keepEndedMs: DAY_MS, historyMs: DAY_MS, stepMs: 300_000 }),
    readUpdates: createUpdateReader(null, stop.signal, () => {}),
    ...{ onUnreadable: () => {}, onAway: () => {} },
    onProgress: (left) => {
      isReady ||= left === 0
    },
  })
  ended = live.run(2, stop.signal)
  await until(() => isReady, { timeoutMs: 20_000, what: 'the topic was read' })
}, 60_000)

afterAll(async () => {
  stop.abort()
  await ended
  live.close()
  await topic[Symbol.asyncDispose]()
})

const listener: Listener = {
  filter: {
    ...{ all: true, zones: null, sessions: null, cards: null, kinds: null, readable: null, showsCards: true },
  },
  ...{ isGone: false, waiting: () => 0, drained: async () => {}, drop: () => {} },
  deliver(frames) {
    for (const [, data = ''] of Buffer.concat(frames)
      .toString()
      .matchAll(/^data: (.*)$/gm)) {
      const { event_id, session_id } = JSON.parse(data) as StatusUpdate
      told.push(`heard ${event_id}`)
      if (live.session(session_id ?? '')?.revision !== 1) told.push(`session ${session_id} is not known`)
    }
  },
}

test('of what was committed since the start the cache is told, also before anybody listens', () => {
  expect(told).toContain('e:while starting')
})

test('the event and the session of an update count as outdated, and the session has moved, before anybody hears of it', async () => {
  await live.hub.join(listener, null)
  told.length = 0
  for (let i = 0; i < 20; i++)
    await topic.commit(i % 2, [updateOf(i % 2, { event_id: `e${i}`, session_id: `live-${i}` })])
  await until(() => told.includes('heard e19'), { timeoutMs: 20_000, what: 'all are heard' })
  for (let i = 0; i < 20; i++) {
    const at = (what: string) => told.indexOf(what)
    expect(at(`e:e${i}`)).toBeGreaterThanOrEqual(0)
    expect(at(`s:live-${i}`)).toBeGreaterThanOrEqual(0)
    expect(at(`heard e${i}`)).toBeGreaterThan(Math.max(at(`e:e${i}`), at(`s:live-${i}`)))
  }
  expect(told.filter((one) => one.includes('is not known'))).toEqual([])
  live.hub.leave(listener)
})
