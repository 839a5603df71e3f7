import { afterEach, describe, expect, test } from '@jest/globals'
import { ApiError } from '../../../web/src/api.ts'
import { type Poll, startPoll, waitAfter } from '../../../web/src/polling.ts'
import { createBell } from '../../../web/src/store.ts'

let poll: Poll<string>
afterEach(() => poll?.stop())

/** Answers are given by the test; `waits` is what the poll plans. */
function setUp() {
  const questions: { answer: (text: string) => void; fail: (error: unknown) => void }[] = []
  const waits: number[] = []
  let due: (() => void) | null = null
  const wake = createBell()
  const state = { asleep: false }
  poll = startPoll<string>(() => new Promise((answer, fail) => questions.push({ answer, fail })), {
    every: 1_000,
    wake,
    asleep: () => state.asleep,
    now: () => 7,
    later(ms, run) {
      waits.push(ms)
      due = run
      return () => {
        due = null
      }
    },
  })
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  return {
    ...{ questions, waits, wake, state },
    async answer(text: string) {
      questions.at(-1)?.answer(text)
      await turn()
    },
    async fail(status: number, waitMs = 0) {
      questions.at(-1)?.fail(new ApiError({ type: 'about:blank', title: 'No', status }, waitMs))
      await turn()
    },
    pass: () => due?.(),
  }
}

describe('a poll', () => {
  test('asks, shows, waits and asks again', async () => {
    const { questions, waits, answer, pass } = setUp()
    await answer('a')
    expect(poll.shown.get()).toEqual({ data: 'a', at: 7, problem: null })
    expect(waits).toEqual([1_000])
    pass()
    expect(questions).toHaveLength(2)
  })

  test('keeps the last answer while the server fails, and asks ever less', async () => {
    const { waits, answer, fail, pass } = setUp()
    await answer('a')
    pass()
    await fail(0)
    pass()
    await fail(503)
    expect(poll.shown.get()).toMatchObject({ data: 'a', problem: { status: 503 } })
    expect(waits).toEqual([1_000, 2_000, 4_000])
    pass()
    await answer('b')
    expect(poll.shown.get()).toEqual({ data: 'b', at: 7, problem: null })
    expect(waits.at(-1)).toBe(1_000)
  })

  test('shows no more what may not be read any more, and asks again only when woken', async () => {
    const { questions, waits, wake, answer, fail, pass } = setUp()
    await answer('a')
    pass()
    await fail(401)
    expect(poll.shown.get().data).toBeNull()
    expect(waits).toHaveLength(1)
    wake.ring()
    expect(questions).toHaveLength(3)
  })

  test('waits as long as the server asks', async () => {
    const { waits, fail } = setUp()
    await fail(429, 20_000)
    expect(waits).toEqual([20_000])
  })

  test('asks once more when it is woken amid a question', async () => {
    const { questions, waits, wake, fail } = setUp()
    wake.ring()
    expect(questions).toHaveLength(1)
    await fail(401)
    expect(waits).toEqual([0])
  })

  test('sleeps while nobody looks', async () => {
    const { questions, waits, wake, state, answer } = setUp()
    state.asleep = true
    await answer('a')
    expect(waits).toEqual([])
    state.asleep = false
    wake.ring()
    expect(questions).toHaveLength(2)
  })

  test('tells a mistake of the page as a problem', async () => {
    const { questions } = setUp()
    questions[0]?.fail(new TypeError('zones is undefined'))
    await new Promise((resolve) => setImmediate(resolve))
    expect(poll.shown.get().problem).toMatchObject({ status: -1, detail: 'TypeError: zones is undefined' })
  })

  test('says nothing after it was stopped', async () => {
    const { answer, waits } = setUp()
    poll.stop()
    await answer('late')
    expect(poll.shown.get().data).toBeNull()
    expect(waits).toEqual([])
  })
})

describe('the wait after a question', () => {
  const problem = (status: number) => ({ type: 'about:blank', title: 'No', status })
  test('is longer for a server that is slow', () => {
    expect(waitAfter(null, 0, 2_000, 100)).toBe(2_000)
    expect(waitAfter(null, 0, 2_000, 3_000)).toBe(12_000)
  })
  test('has no end after a refusal', () => {
    expect([400, 401, 403].map((status) => waitAfter(problem(status), 1, 2_000, 0))).toEqual([null, null, null])
  })
  test('is bounded after failures', () => {
    expect(waitAfter(problem(0), 30, 2_000, 0)).toBe(30_000)
    expect(waitAfter(problem(0), 1, 60_000, 0)).toBe(60_000)
  })
})
