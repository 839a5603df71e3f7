import { expect, test } from '@jest/globals'
import type { KafkaMessage } from 'kafkajs'
import { sourceRecord, type Turn } from '../../../src/stream/turns.ts'

const turn = { topic: 't', partition: 3 } as Turn
const timeOf = (header: unknown) =>
  sourceRecord(turn, {
    ...{ offset: '7', timestamp: '1767225600000', key: null, value: null },
    headers: header === undefined ? undefined : { dead_letter_source_timestamp: header },
  } as unknown as KafkaMessage).timestamp

test.each([
  ['nothing', undefined, 1_767_225_600_000],
  ['an earlier time', Buffer.from('1700000000000'), 1_700_000_000_000],
  ['a later time', Buffer.from('1900000000000'), 1_767_225_600_000],
  ['no time', Buffer.from('yesterday'), 1_767_225_600_000],
  ['a negative one', Buffer.from('-5'), 1_767_225_600_000],
  ['two values', [Buffer.from('1700000000000'), Buffer.from('1')], 1_767_225_600_000],
])('a record whose header of a replay says %s', (_, header, expected) => expect(timeOf(header)).toBe(expected))
