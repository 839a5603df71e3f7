import { describe, expect, test } from '@jest/globals'
import { until } from '../../../local/until.ts'

describe('until', () => {
  test('looks again until the condition holds, and gives what it gave', async () => {
    let looks = 0
    const look = () => {
      looks++
      if (looks === 1) throw new Error('not yet')
      return looks === 3 && 'found'
    }
    expect(await until(look, { timeoutMs: 1_000, what: 'it is found', everyMs: 1 })).toBe('found')
    expect(looks).toBe(3)
  })

  test('gives up in time, naming what was waited for and the last look', async () => {
    const never = until(() => Promise.reject(new Error('no such topic')), {
      timeoutMs: 20,
      what: 'a topic',
      everyMs: 5,
    })
    await expect(never).rejects.toThrow('Waited 0.02 s in vain until: a topic. The last look gave: no such topic')
  })
})
