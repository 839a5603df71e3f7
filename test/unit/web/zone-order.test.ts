import { describe, expect, test } from '@jest/globals'
import type { ZoneView } from '../../../src/contract/api.ts'
import { arrange, isOff, matching, takeOrder, totalsOf, wordsOf } from '../../../web/src/zone-order.ts'

const zone = (zone_id: string, parked: number, overdue = 0): ZoneView => ({
  zone_id,
  parked,
  overdue,
  by_status: { 'on-going': parked },
})
const ids = (zones: ZoneView[]) => zones.map(({ zone_id }) => zone_id)

describe('the board of zones', () => {
  const zones = [zone('10', 3), zone('9', 5, 1), zone('100', 3)]

  test('is sorted by what is asked, equal ones by id as numbers', () => {
    expect(ids(arrange(zones, takeOrder(zones, 'parked', true)))).toEqual(['9', '10', '100'])
    expect(ids(arrange(zones, takeOrder(zones, 'zone', false)))).toEqual(['9', '10', '100'])
    expect(ids(arrange(zones, takeOrder(zones, 'overdue', true)))).toEqual(['9', '10', '100'])
  })

  test('stays in its order while the numbers change, and says that it is off', () => {
    const order = takeOrder(zones, 'parked', true)
    const later = [zone('10', 9), zone('9', 5), zone('100', 3)]
    const shown = arrange(later, order)
    expect(ids(shown)).toEqual(['9', '10', '100'])
    expect(isOff(shown, order)).toBe(true)
    expect(isOff(arrange(zones, order), order)).toBe(false)
  })

  test('has new zones at the end', () => {
    const order = takeOrder(zones, 'parked', true)
    expect(ids(arrange([zone('1', 99), ...zones, zone('2', 0)], order))).toEqual(['9', '10', '100', '1', '2'])
  })

  test('is found by part of an id, in any case, and by being overdue', () => {
    const odd = [zone('Main St', 1), ...zones]
    expect(ids(matching(odd, ' main', false))).toEqual(['Main St'])
    expect(ids(matching(odd, '10', false))).toEqual(['10', '100'])
    expect(ids(matching(odd, '', true))).toEqual(['9'])
  })
})

test('totals are of all zones, for whatever words there are', () => {
  const odd: ZoneView = {
    zone_id: 'x',
    parked: 2,
    overdue: 1,
    by_status: { __proto__: 1, constructor: 1, 'on-going': 1 },
  }
  const totals = totalsOf([zone('1', 3, 1), odd])
  expect(totals).toMatchObject({ parked: 5, overdue: 2 })
  expect(totals.by_status['on-going']).toBe(4)
  expect(totals.by_status.constructor).toBe(1)
})

test('words are told by how many, none are left out but those of nobody', () => {
  expect(wordsOf({ alerted: 2, 'on-going': 9, prepaid: 2, finished: 0 })).toEqual([
    ['on-going', 9],
    ['alerted', 2],
    ['prepaid', 2],
  ])
})
