import { describe, expect, test } from '@jest/globals'
import { createHealth } from '../../../src/operate/health.ts'

function healthAt() {
  let now = new Date('2026-01-01T00:00:00.000Z')
  const health = createHealth(() => now)
  return {
    health,
    at: (iso: string) => {
      now = new Date(iso)
    },
  }
}

describe('health', () => {
  test('is alive but not ready before anything is known', () => {
    const { health } = healthAt()
    expect(health.alive().ok).toBe(true)
    expect(health.ready().ok).toBe(false)
  })

  test('is ready when every condition is met, and names each with its time', () => {
    const { health, at } = healthAt()
    health.set('kafka', true)
    health.set('mongodb', false, 'away')
    expect(health.ready().ok).toBe(false)
    at('2026-01-01T00:01:00.000Z')
    health.set('kafka', true)
    health.set('mongodb', true)
    expect(health.ready()).toEqual({
      ok: true,
      conditions: {
        kafka: { ok: true, since: '2026-01-01T00:00:00.000Z' },
        mongodb: { ok: true, since: '2026-01-01T00:01:00.000Z' },
      },
    })
  })

  test('stays alive in an outage', () => {
    const { health } = healthAt()
    health.set('kafka', false, 'away')
    expect(health.alive()).toEqual({ ok: true, conditions: {} })
  })

  test('does not come back from the dead', () => {
    const { health } = healthAt()
    health.set('kafka', true)
    health.dead('consumer crashed')
    health.dead('later reason')
    expect(health.ready().ok).toBe(false)
    expect(health.alive()).toEqual({
      ok: false,
      conditions: { process: { ok: false, detail: 'consumer crashed', since: '2026-01-01T00:00:00.000Z' } },
    })
  })

  test('tells no card number', () => {
    const { health } = healthAt()
    health.set('mongodb', false, 'dup key 4111111111111111')
    expect(health.ready().conditions.mongodb?.detail).toBe('dup key [card number]')
  })
})
