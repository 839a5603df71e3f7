import { describe, expect, test } from '@jest/globals'
import protobuf from 'protobufjs'
import { createProtobufReader, keepProtobufNames } from '../../../src/decode/protobuf.ts'
import { decimalOf } from '../../support/decimal.ts'

keepProtobufNames()
const { root } = protobuf.parse(`syntax = "proto3";
package com.parkmobile;
enum Kind { UNKNOWN = 0; START = 1; }
message ParkingEvent {
  string event_id = 1;
  optional string card = 2;
  Session session_data = 3;
  int64 user_id = 4;
  Kind kind = 5;
  bytes raw = 6;
  repeated fixed64 ids = 7;
  map<string, int64> counts = 8;
  message Session { string session_id = 1; message Inner { string deep = 1; } }
  message Other { string other_field = 1; }
}
message Second { string second_field = 1; }
`)
const find = (name: string) => root.lookupType(`com.parkmobile.${name}`)
const read = createProtobufReader({ message: find('ParkingEvent') })
const framed = (path: number[], name: string, body: object) =>
  Buffer.concat([Buffer.from(path), find(name).encode(find(name).fromObject(body)).finish()])

describe('a message', () => {
  test('has the names of its schema, plain values, and whole integers', () => {
    const value = read(
      framed([0], 'ParkingEvent', {
        event_id: 'e1',
        session_data: { session_id: 's1' },
        user_id: '9007199254740993',
        kind: 1,
        raw: Buffer.from([1, 2]),
        ids: ['7', '9223372036854775807'],
        counts: { a: '5' },
      }),
    )
    expect(value).toEqual({
      event_id: 'e1',
      session_data: { session_id: 's1' },
      user_id: 9007199254740993n,
      kind: 'START',
      raw: 'AQI=',
      ids: [7, 9223372036854775807n],
      counts: { a: 5 },
    })
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  })

  test('leaves out what is not set', () => {
    expect(read(Buffer.from([0]))).toEqual({})
  })

  test.each<[string, number[], string, object]>([
    ['the second of the file', [2, 2], 'Second', { second_field: 'x' }],
    ['the first, by its path in full', [2, 0], 'ParkingEvent', { event_id: 'e' }],
    ['one nested in the first', [4, 0, 2], 'ParkingEvent.Other', { other_field: 'x' }],
    ['one nested twice', [6, 0, 0, 0], 'ParkingEvent.Session.Inner', { deep: 'x' }],
  ])('can be %s', (_, path, name, body) => expect(read(framed(path, name, body))).toEqual(body))

  test.each<[string, Buffer]>([
    ['names a message that is not in the file', Buffer.from([2, 8])],
    ['has a path longer than itself', Buffer.from([60, 0])],
    ['is cut short', framed([0], 'ParkingEvent', { event_id: 'e1' }).subarray(0, -1)],
  ])('is refused when it %s', (_, bytes) => expect(() => read(bytes)).toThrow())
})

test('64-bit numbers keep their value: unsigned ones too, and as keys of a map', () => {
  const numbers = protobuf.parse(`syntax = "proto3";
    message Numbers { uint64 u = 1; map<int64, string> names = 2; map<uint64, Numbers> inner = 3; repeated Numbers list = 4; }`).root
  const type = numbers.lookupType('Numbers')
  const header = Buffer.from([0])
  const read = createProtobufReader({ message: type })
  const entry = (key: number[], value: number[]) => [key.length + value.length, ...key, ...value]
  const greatest = [8, ...Array(9).fill(255), 1]
  const bytes = [
    ...greatest,
    18,
    ...entry([8, 5], [18, 1, 120]),
    26,
    ...entry(greatest, [18, 2, 8, 7]),
    34,
    greatest.length,
    ...greatest,
  ]
  expect(read(Buffer.concat([header, Buffer.from(bytes)]))).toEqual({
    u: decimalOf('18446744073709551615'),
    names: { 5: 'x' },
    inner: { '18446744073709551615': { u: 7 } },
    list: [{ u: decimalOf('18446744073709551615') }],
  })
})
