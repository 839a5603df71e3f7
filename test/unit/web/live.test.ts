import { afterEach, describe, expect, test } from '@jest/globals'
import { ApiError } from '../../../web/src/api.ts'
import { type LiveState, openLive, waitBefore } from '../../../web/src/live.ts'
import { createBell } from '../../../web/src/store.ts'

/** A server whose every connection the test holds in its hands, and a clock that only it moves. */
function createServer() {
  const asked: string[] = []
  const answers: ((answer: Response | Error) => void)[] = []
  const timers = new Set<{ at: number; run: () => void }>()
  const updates: string[] = []
  const notes: string[] = []
  const wake = createBell()
  let now = 0
  const live = openLive({
    open: (lastId, signal) =>
      new Promise((resolve, reject) => {
        asked.push(lastId)
        signal.addEventListener('abort', () => reject(signal.reason))
        answers.push((answer) => (answer instanceof Error ? reject(answer) : resolve(answer)))
      }),
    lastId: '',
    onUpdate: ({ id }) => updates.push(id),
    onNote: (text) => notes.push(text),
    wake,
    now: () => now,
    later(ms, run) {
      const timer = { at: now + ms, run }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    random: () => 1,
  })
  return {
    ...{ live, asked, updates, notes, wake },
    answer: (answer: Response | Error) => answers.shift()?.(answer),
    pass(ms: number) {
      now += ms
      for (const timer of [...timers]) if (timer.at <= now && timers.delete(timer)) timer.run()
    },
  }
}

let server: ReturnType<typeof createServer>
afterEach(() => server.live.stop())

/** A response that the test writes into. */
function createStream() {
  let controller!: ReadableStreamDefaultController<Uint8Array>
  const body = new ReadableStream<Uint8Array>({
    start(given) {
      controller = given
    },
  })
  return {
    response: new Response(body),
    write: (text: string) => controller.enqueue(new TextEncoder().encode(text)),
    end: () => controller.close(),
  }
}

const update = (id: string) => `event: status\nid: ${id}\ndata: ${JSON.stringify({ id, status: 'on-going' })}\n\n`
const refusal = (status: number, waitMs = 0) => new ApiError({ type: 'about:blank', title: 'No', status }, waitMs)

/** Waits for a state, which comes by promises alone. */
async function until(is: LiveState['is']): Promise<LiveState> {
  for (let turn = 0; turn < 1_000; turn++) {
    const state = server.live.state.get()
    if (state.is === is) return state
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error(`It is ${server.live.state.get().is}, and never became ${is}.`)
}

async function settled(done: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1_000 && !done(); turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(done()).toBe(true)
}

describe('the stream of updates', () => {
  test('is live once it is opened, and gives what comes', async () => {
    server = createServer()
    const stream = createStream()
    server.answer(stream.response)
    await until('live')
    stream.write(`: beat\n\n${update('1')}event: status\ndata: broken\n\n`)
    stream.write(update('2'))
    await settled(() => server.updates.length === 2)
    expect(server.updates).toEqual(['1', '2'])
  })

  test('goes on from its last position after a break, also one told without an update', async () => {
    server = createServer()
    const stream = createStream()
    server.answer(stream.response)
    stream.write(`${update('1')}id: 5\n\n`)
    stream.end()
    const state = await until('reconnecting')
    expect(state).toMatchObject({ since: 0, nextAt: 500, why: 'The server ended the stream' })
    server.pass(500)
    await settled(() => server.asked.length === 2)
    expect(server.asked).toEqual(['', '5'])
  })

  test('tries at once when it is woken', async () => {
    server = createServer()
    server.answer(refusal(0))
    await until('reconnecting')
    server.wake.ring()
    await settled(() => server.asked.length === 2)
  })

  test('waits as long as the server asks', async () => {
    server = createServer()
    server.answer(refusal(429, 9_000))
    expect(await until('reconnecting')).toMatchObject({ nextAt: 9_000 })
  })

  test('stops at a refusal that trying again does not mend', async () => {
    server = createServer()
    server.answer(refusal(403))
    expect(await until('stopped')).toMatchObject({ problem: { status: 403 } })
    server.pass(60_000)
    expect(server.asked).toHaveLength(1)
  })

  test('keeps no position that the server refused', async () => {
    server = createServer()
    const stream = createStream()
    server.answer(stream.response)
    stream.write(update('1'))
    stream.end()
    await until('reconnecting')
    expect(server.live.lastId()).toBe('1')
    server.wake.ring()
    await settled(() => server.asked.length === 2)
    server.answer(refusal(400))
    await until('stopped')
    expect(server.live.lastId()).toBe('')
  })

  test('tells that it was let go', async () => {
    server = createServer()
    const stream = createStream()
    server.answer(stream.response)
    stream.write('event: dropped\ndata: {"reason":"too slow"}\n\n')
    stream.end()
    await until('reconnecting')
    expect(server.notes).toEqual(['The server let this stream go: too slow'])
  })

  test('tells that its position is gone, and asks for it no more', async () => {
    server = createServer()
    for (const text of [update('1'), 'event: reset\ndata: {"reason":"too old"}\n\n']) {
      const stream = createStream()
      server.answer(stream.response)
      await until('live')
      stream.write(text)
      stream.end()
      await until('reconnecting')
      const before = server.asked.length
      server.wake.ring()
      await settled(() => server.asked.length === before + 1)
    }
    expect(server.notes).toEqual(['Updates are missing here: too old'])
    expect(server.asked).toEqual(['', '1', ''])
  })

  test('is opened anew when nothing came for a minute', async () => {
    server = createServer()
    server.answer(createStream().response)
    await until('live')
    server.pass(60_000)
    expect(await until('reconnecting')).toMatchObject({ why: 'Nothing came for a minute' })
  })

  test('waits longer after each stream that ends at once', async () => {
    server = createServer()
    let at = 0
    for (const wait of [500, 1_000, 2_000]) {
      const stream = createStream()
      server.answer(stream.response)
      await until('live')
      stream.end()
      expect(await until('reconnecting')).toMatchObject({ since: 0, nextAt: at + wait })
      const before = server.asked.length
      server.pass(wait)
      at += wait
      await settled(() => server.asked.length === before + 1)
    }
  })

  test('begins with short waits again after a stream that lasted', async () => {
    server = createServer()
    server.answer(refusal(503))
    await until('reconnecting')
    server.pass(500)
    await settled(() => server.asked.length === 2)
    const stream = createStream()
    server.answer(stream.response)
    await until('live')
    server.pass(5_000)
    stream.end()
    expect(await until('reconnecting')).toMatchObject({ since: 5_500, nextAt: 6_000 })
  })

  test('ends when it is stopped', async () => {
    server = createServer()
    server.answer(createStream().response)
    await until('live')
    server.live.stop()
    expect(await until('stopped')).toEqual({ is: 'stopped', problem: null })
  })
})

test('waits double, within bounds, and never all at once', () => {
  expect([1, 2, 3, 4, 5, 6, 20].map((failures) => waitBefore(failures, 1))).toEqual([
    500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000,
  ])
  expect(waitBefore(3, 0)).toBe(1_000)
})
