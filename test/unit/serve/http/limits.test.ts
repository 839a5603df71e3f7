import { describe, expect, test } from '@jest/globals'
import { networkOf } from '../../../../src/serve/http/network.ts'
import { createRateLimit } from '../../../../src/serve/http/rate-limit.ts'

describe('a client makes so many requests in a second', () => {
  test('each for itself, and as many again in the next one', () => {
    let now = 0
    const limit = createRateLimit(2, () => now)
    expect([limit.count('a'), limit.count('a'), limit.count('a')]).toEqual([1, 0, -1])
    expect([limit.count('b'), limit.left('a'), limit.left('c')]).toEqual([1, -1, 2])
    now = 999
    expect(limit.count('a')).toBe(-2)
    now = 1_000
    expect(limit.left('a')).toBe(2)
    expect(limit.count('a')).toBe(1)
  })

  test('to ask what is left counts nothing', () => {
    const limit = createRateLimit(1, () => 0)
    expect([limit.left('a'), limit.left('a'), limit.count('a')]).toEqual([1, 1, 0])
  })
})

describe('who has an address of an IPv6 network has all of them', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::', '2001:db8:1:2'],
    ['2001:0DB8:0001:0002:ffff::1', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001::3:4:5:6:7', '2001:0:0:3'],
    ['::1', '0:0:0:0'],
    ['::', '0:0:0:0'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
  ])('%s is of %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })
})
