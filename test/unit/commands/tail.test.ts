import { describe, expect, test } from '@jest/globals'
import { type Choice, isWanted, mayBeWanted } from '../../../src/commands/tail/choose.ts'
import { line } from '../../../src/commands/tail/line.ts'
import type { StatusUpdate } from '../../../src/contract/status-update.ts'

const update: StatusUpdate = {
  id: 'u',
  event_id: 'e-1',
  session_id: 'IC1',
  card: '411111------1111',
  zone_id: '953',
  kind: 'session',
  event_type: 'parking_stop',
  previous_status: 'on-going',
  status: 'finished',
  changed: true,
  http_status: 200,
  occurred_at: '2026-01-01T12:00:00.000Z',
  ends_at: '2026-01-01T13:00:00.000Z',
  revision: 4,
  state: {},
  source: { topic: 't', partition: 0, offset: '1' },
}

const ANY: Choice = { all: false, sessions: [], zones: [], kinds: [] }

describe('tail chooses', () => {
  test('changes, and confirmations only when asked', () => {
    expect(isWanted(update, ANY)).toBe(true)
    expect(isWanted({ ...update, changed: false }, ANY)).toBe(false)
    expect(isWanted({ ...update, changed: false }, { ...ANY, all: true })).toBe(true)
  })

  test('by the header alone, where there is one', () => {
    const confirmed = { ce_type: Buffer.from('parking.status.confirmed') }
    expect(mayBeWanted(confirmed, ANY)).toBe(false)
    expect(mayBeWanted(confirmed, { ...ANY, all: true })).toBe(true)
    expect(mayBeWanted({ ce_type: Buffer.from('parking.status.changed') }, ANY)).toBe(true)
    expect(mayBeWanted(undefined, ANY)).toBe(true)
  })

  test('by session, zone and kind, all of which must fit', () => {
    expect(isWanted(update, { ...ANY, sessions: ['IC2', 'IC1'], zones: ['953'], kinds: ['session'] })).toBe(true)
    expect(isWanted(update, { ...ANY, sessions: ['IC1'], zones: ['954'] })).toBe(false)
    expect(isWanted(update, { ...ANY, kinds: ['payment'] })).toBe(false)
    expect(isWanted({ ...update, session_id: null }, { ...ANY, sessions: ['IC1'] })).toBe(false)
  })
})

describe('a printed update', () => {
  test('tells when, what and the move', () => {
    expect(line(update)).toBe(
      '2026-01-01T12:00:00.000Z  session  on-going → finished  session IC1  zone 953  card 411111------1111' +
        '  parking_stop  ends 2026-01-01T13:00:00.000Z  #4',
    )
  })

  test('leaves out what is unknown', () => {
    const first = { ...update, session_id: null, zone_id: null, card: null, event_type: null, ends_at: null }
    expect(line({ ...first, previous_status: null, kind: 'status', revision: 1 })).toBe(
      '2026-01-01T12:00:00.000Z  status   (new) → finished  event e-1  #1',
    )
    expect(line({ ...first, changed: false })).toContain('finished (confirmed)')
  })

  test('is one line and cannot steer the terminal', () => {
    expect(line({ ...update, zone_id: '9\n\x1b[2J' })).toContain('zone 9 \\x1b[2J')
  })
})
