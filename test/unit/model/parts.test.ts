import { describe, expect, test } from '@jest/globals'
import { readAvro } from '../../model/avro.ts'
import { defaultPartition } from '../../model/partition.ts'
import { timeOf } from '../../model/times.ts'
import { updateId } from '../../model/update-id.ts'
import { diff } from '../../support/differences.ts'

describe('the model reads times', () => {
  test.each([
    ['2023-06-01T15:36:15Z', '2023-06-01T15:36:15.000Z'],
    ['2023-06-01T15:36:15', '2023-06-01T15:36:15.000Z'],
    ['2023-06-01T15:36:15.1234567', '2023-06-01T15:36:15.123Z'],
    ['2023-06-01T15:36:15-0000', '2023-06-01T15:36:15.000Z'],
    ['2023-06-01T15:36:15.5+05:30', '2023-06-01T10:06:15.500Z'],
    [1_685_633_775, '2023-06-01T15:36:15.000Z'],
    [1_685_633_775_123, '2023-06-01T15:36:15.123Z'],
    ['1685633775123', '2023-06-01T15:36:15.123Z'],
  ])('%j', (written, read) => expect(timeOf(written)).toBe(Date.parse(read)))

  test.each([['yesterday'], [''], [null], [undefined], [0], [true]])('%j is none', (written) => {
    expect(timeOf(written)).toBeNull()
  })
})

// Values from the Java client's own tests (UtilsTest.testMurmur2), taken modulo 1000.
test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
])('the model puts %s where the Java client does', (key, hash) => {
  expect(defaultPartition(Buffer.from(key), 1000)).toBe((hash & 0x7fffffff) % 1000)
})

test('the model makes update ids that are UUIDs of version 5', () => {
  const id = updateId('s1', 'session', 'e1', '2024-06-01T11:00:00.000Z', 'on-going')
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

describe('the model reads Avro', () => {
  const schema = {
    type: 'record',
    name: 'Any',
    fields: [
      { name: 'id', type: 'string' },
      { name: 'count', type: ['null', 'long', 'string'] },
      { name: 'body', type: ['null', 'string'], json: true },
      { name: 'more', type: { type: 'map', values: { type: 'array', items: 'boolean' } } },
    ],
  }
  const bytes = Buffer.from([2, 0x65, 2, 0x80, 0x01, 2, 4, 0x7b, 0x7d, 2, 2, 0x6b, 4, 1, 0, 0, 0])
  const text = (value: string, json: boolean) => (json ? JSON.parse(value) : value)

  test('by the schema of the writer', () => {
    expect(readAvro(schema, bytes, { text })).toEqual({ id: 'e', count: 64, body: {}, more: { k: [true, false] } })
  })

  test.each([...bytes.keys()])('and refuses it cut short to %i bytes', (length) => {
    expect(() => readAvro(schema, bytes.subarray(0, length), { text })).toThrow()
  })

  test('and refuses bytes that are left over', () => {
    expect(() => readAvro(schema, Buffer.concat([bytes, bytes]), { text })).toThrow('left over')
  })
})

test('a difference is told with its place, and absent is not null', () => {
  expect(diff({ a: [1, 2], b: null }, { a: [1, 3] })).toEqual([
    'a.1: expected 2, got 3',
    'b: expected null, got nothing',
  ])
  expect(diff({ a: 1, b: { c: 2 } }, { b: { c: 2 }, a: 1 })).toEqual([])
})
