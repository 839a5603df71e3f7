import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import { until } from '../../../local/until.ts'
import { createGuard, LIMITS } from '../../../src/primary/guard.ts'
import { PrimaryUnavailable } from '../../../src/primary/unavailable.ts'

const AWAY = new PrimaryUnavailable('away', 'gone fishing')
const away = () => Promise.reject(AWAY)
const never = () => new Promise<never>(() => undefined)
const reasonOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'answered',
    (error) => error.reason ?? error.message,
  )

/** A guard that is quick, what it told, and a way to fail it so many times. */
function quick(limits: Partial<typeof LIMITS> = {}) {
  const states: string[] = []
  const guard = createGuard((state) => states.push(state), {
    ...LIMITS,
    waitMs: 10_000,
    timeoutMs: 10_000,
    halfOpenAfterMs: 50,
    ...limits,
  })
  const fail = async (times: number) => {
    for (let i = 0; i < times; i++) await reasonOf(guard.run(away))
  }
  /** Until the breaker lets somebody try again. */
  const rested = () => delay(60)
  return { guard, states, fail, rested }
}

/** Work that goes on until it is told to end. */
function work() {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  const counts = { started: 0, running: 0, most: 0 }
  const run = async () => {
    counts.started++
    counts.running++
    counts.most = Math.max(counts.most, counts.running)
    await ended
    counts.running--
    return 'done'
  }
  return { run, end: () => end(), counts }
}

describe('the time limit', () => {
  test('gives up, and tells the work to', async () => {
    const { guard } = quick({ timeoutMs: 20 })
    let told: AbortSignal | null = null
    const outcome = guard.run((signal) => {
      told = signal
      return never()
    })
    await expect(outcome).rejects.toThrow('did not answer within 0.02 s')
    expect(await reasonOf(outcome)).toBe('timeout')
    expect((told as unknown as AbortSignal).aborted).toBe(true)
  })

  test('leaves alone what ended in time', async () => {
    const { guard } = quick()
    let told: AbortSignal | null = null
    expect(
      await guard.run(async (signal) => {
        told = signal
        return 7
      }),
    ).toBe(7)
    expect((told as unknown as AbortSignal).aborted).toBe(false)
  })
})

describe('places', () => {
  test('are for ten at once; fifty wait, the rest are sent away at once, and that is no failure', async () => {
    const { guard, states } = quick()
    const { run, end, counts } = work()
    const outcomes = Array.from({ length: 200 }, () => reasonOf(guard.run(run)))
    const sentAway = await Promise.all(outcomes.slice(60))
    expect(new Set(sentAway)).toEqual(new Set(['busy']))
    expect(counts).toMatchObject({ started: 10, running: 10 })
    end()
    expect(new Set(await Promise.all(outcomes.slice(0, 60)))).toEqual(new Set(['answered']))
    expect(counts).toEqual({ started: 60, running: 0, most: 10 })
    expect(states).toEqual([])
  })

  test('are not waited for longer than the limit, and who gave up does not start', async () => {
    const { guard } = quick({ running: 1, waitMs: 20 })
    const { run, end, counts } = work()
    const first = guard.run(run)
    expect(await reasonOf(guard.run(run))).toBe('busy')
    end()
    expect(await first).toBe('done')
    expect(await guard.run(run)).toBe('done')
    expect(counts.started).toBe(2)
  })

  test('are free again after a time-out', async () => {
    const { guard } = quick({ running: 1, timeoutMs: 20 })
    const outcomes = [guard.run(never), guard.run(async () => 'in time')].map(reasonOf)
    expect(await Promise.all(outcomes)).toEqual(['timeout', 'answered'])
  })
})

describe('the breaker', () => {
  test('opens after five failures in a row, asks no more, and tells the last one', async () => {
    const { guard, states, fail } = quick({ halfOpenAfterMs: 10_000 })
    await fail(4)
    await guard.run(async () => 'well')
    await fail(4)
    expect([guard.state, states]).toEqual(['closed', []])
    await fail(1)
    expect([guard.state, states]).toEqual(['open', ['open']])
    const { run, counts } = work()
    await expect(guard.run(run)).rejects.toThrow('not asked for 10 s after 5 failures in a row. The last: gone fishing')
    expect(await reasonOf(guard.run(run))).toBe('open')
    expect(counts.started).toBe(0)
  })

  test('counts time-outs', async () => {
    const { guard } = quick({ timeoutMs: 10, halfOpenAfterMs: 10_000 })
    await Promise.all(Array.from({ length: 5 }, () => reasonOf(guard.run(never))))
    expect(guard.state).toBe('open')
  })

  test('answers those who wait behind the failures at once', async () => {
    const { guard } = quick({ timeoutMs: 20, halfOpenAfterMs: 10_000 })
    const outcomes = await Promise.all(Array.from({ length: 60 }, () => reasonOf(guard.run(never))))
    // Ten, and those that came into the places of the first four, before the fifth failure.
    expect(outcomes.slice(0, 10)).toEqual(Array(10).fill('timeout'))
    expect(outcomes.slice(14)).toEqual(Array(46).fill('open'))
  })

  test('lets one try after its time, and no other meanwhile', async () => {
    const { guard, states, fail, rested } = quick()
    await fail(5)
    await rested()
    const { run, end, counts } = work()
    const trying = guard.run(run)
    await until(() => counts.started === 1, { timeoutMs: 1_000, what: 'one tries' })
    expect(guard.state).toBe('half-open')
    expect(await reasonOf(guard.run(run))).toBe('open')
    end()
    expect(await trying).toBe('done')
    expect(guard.state).toBe('closed')
    expect(states).toEqual(['open', 'half-open', 'closed'])
  })

  test('stays open when that one fails', async () => {
    const { guard, states, fail, rested } = quick()
    await fail(5)
    await rested()
    expect(await reasonOf(guard.run(away))).toBe('away')
    expect(await reasonOf(guard.run(away))).toBe('open')
    expect(states).toEqual(['open', 'half-open', 'open'])
  })
})
