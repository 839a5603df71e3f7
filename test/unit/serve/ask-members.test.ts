import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { ReadPreference } from 'mongodb'
import { type Asked, askMembers } from '../../../src/serve/ask-members.ts'

beforeEach(() => {
  jest.useFakeTimers()
})
afterEach(() => {
  jest.useRealTimers()
})

const after = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** A set of members, and whom each question went to. */
function members(reads: ReadPreference) {
  const state = { isBehind: false, primaryMs: 1 }
  let asked: string[] = []
  const find = askMembers(reads, async ({ reads: { mode }, ms }: Asked, question: string) => {
    asked.push(`${question} ${mode}`)
    const takes = mode === 'primaryPreferred' ? state.primaryMs : state.isBehind ? Number.POSITIVE_INFINITY : 1
    await after(Math.min(takes, ms))
    if (takes > ms) throw new Error('too late')
    return mode
  })
  return {
    state,
    /** Whom these go to that are asked at once, and who answers. */
    async ask(...questions: string[]) {
      asked = []
      const answers = Promise.all(questions.map((question) => find(question)))
      await jest.advanceTimersByTimeAsync(2_000)
      return { asked, answers: await answers }
    },
  }
}

test('the members that are wanted are asked', async () => {
  for (const mode of ['primary', 'secondary', 'nearest', 'secondaryPreferred'] as const) {
    expect(await members(new ReadPreference(mode)).ask('a')).toEqual({ asked: [`a ${mode}`], answers: [mode] })
  }
})

test('where one is behind the primary answers, and then is asked alone for some seconds', async () => {
  const { state, ask } = members(ReadPreference.nearest)
  state.isBehind = true
  expect(await ask('a')).toEqual({ asked: ['a nearest', 'a primaryPreferred'], answers: ['primaryPreferred'] })
  expect((await ask('b', 'c')).asked).toEqual(['b primaryPreferred', 'c primaryPreferred'])
})

test('one question alone looks whether it has come up, and then all go there again', async () => {
  const { state, ask } = members(ReadPreference.nearest)
  state.isBehind = true
  await ask('a')
  await jest.advanceTimersByTimeAsync(5_000)
  expect((await ask('b', 'c', 'd')).asked).toEqual([
    'b nearest',
    'c primaryPreferred',
    'd primaryPreferred',
    'b primaryPreferred',
  ])
  state.isBehind = false
  await jest.advanceTimersByTimeAsync(5_000)
  expect((await ask('e', 'f')).asked).toEqual(['e nearest', 'f primaryPreferred'])
  expect((await ask('g', 'h')).asked).toEqual(['g nearest', 'h nearest'])
})

test('where all are slow nobody is behind', async () => {
  const { state, ask } = members(ReadPreference.nearest)
  Object.assign(state, { isBehind: true, primaryMs: 600 })
  await ask('a')
  expect((await ask('b')).asked).toEqual(['b nearest', 'b primaryPreferred'])
})
