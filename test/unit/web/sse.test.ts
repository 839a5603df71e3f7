import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createSseParser, type Message } from '../../../web/src/sse.ts'

function read(...chunks: string[]): { messages: Message[]; lastId: string } {
  const messages: Message[] = []
  const parser = createSseParser((message) => messages.push(message))
  for (const chunk of chunks) parser.push(chunk)
  return { messages, lastId: parser.lastId() }
}

const STREAM = [
  ': welcome\n\n',
  'event: status\nid: 7\ndata: {"a":1}\n\n',
  'id:8\n\n',
  'data:first\r\ndata:  second\r\n\r\n',
  'event: dropped\rdata: {"reason":"slow: 10,000 behind"}\r\r',
  'unknown: field\nretry: 100\ndata\n\n',
  'event: status\n\n',
  'data: جلسة 🚗\n\n',
  'id: 9\ndata: not ended',
].join('')

describe('a stream of server-sent events', () => {
  test('is read whole', () => {
    expect(read(STREAM)).toEqual({
      messages: [
        { event: 'status', data: '{"a":1}', id: '7' },
        { event: 'message', data: 'first\n second', id: '8' },
        { event: 'dropped', data: '{"reason":"slow: 10,000 behind"}', id: '8' },
        { event: 'message', data: '', id: '8' },
        { event: 'message', data: 'جلسة 🚗', id: '8' },
      ],
      lastId: '8',
    })
  })

  test('is read the same however it is cut', () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: STREAM.length - 1 }), { maxLength: 40 })
    fc.assert(
      fc.property(cuts, (places) => {
        const bounds = [0, ...places.sort((a, b) => a - b), STREAM.length]
        const chunks = bounds.slice(1).map((end, i) => STREAM.slice(bounds[i], end))
        expect(read(...chunks)).toEqual(read(STREAM))
      }),
    )
    expect(read(...STREAM)).toEqual(read(STREAM))
  })

  test('whose line ends are cut in two has no empty line there', () => {
    expect(read('data: a\r', '\ndata: b\r', '\n\r', '\n').messages).toEqual([
      { event: 'message', data: 'a\nb', id: '' },
    ])
  })

  test('keeps its position over an empty chunk and takes none that has a NUL', () => {
    expect(read('id: 4\r', '', '\n\n').lastId).toBe('4')
    expect(read('id: 4\n\n', 'id: 5\0\n\n').lastId).toBe('4')
  })

  test('takes its position back with an empty id', () => {
    expect(read('id: 4\n\n', 'id\ndata: x\n\n')).toEqual({
      messages: [{ event: 'message', data: 'x', id: '' }],
      lastId: '',
    })
  })

  test('tells a position only once its message has ended', () => {
    expect(read('id: 4\ndata: a\n').lastId).toBe('')
  })
})
