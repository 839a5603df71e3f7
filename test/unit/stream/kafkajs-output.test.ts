import { expect, test } from '@jest/globals'
import { Output } from '../../../src/stream/kafkajs-output.ts'

test.each([0, 1, 5, 12])('a sized part that ends %d bytes before the end of the buffer is kept whole', (left) => {
  const output = new Output(1 << 24)
  const body = Buffer.from('ab')
  const before = output.buffer.length - left - body.length - 1
  output.reserve(before)
  const start = output.at
  const from = output.openSized(1)
  for (const byte of body) output.int8(byte)
  output.closeSized(start, from)
  expect(output.copy().subarray(before)).toEqual(Buffer.from([4, ...body]))
})
