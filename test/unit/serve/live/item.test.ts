import { describe, expect, test } from '@jest/globals'
import type { StatusUpdate } from '../../../../src/contract/status-update.ts'
import { itemOf, jsonFor } from '../../../../src/serve/live/item.ts'
import { updateOf } from '../../../support/status-topic.ts'
import { EVERYTHING } from './stream-model.ts'

const CARD = 'tok_0123456789abcdef0123456789abcdef'
const update = updateOf(3, { card: CARD, status: 'a "b", c: {' })
const seenBy = (text: string, showsCards: boolean, of: StatusUpdate = update) =>
  jsonFor(itemOf(3, 7, of, Buffer.from(text)), { ...EVERYTHING, showsCards })

describe('the text of an update', () => {
  test('is what stands in the topic', () => {
    const text = `{"big":12345678901234567890,${JSON.stringify(update).slice(1)}`
    expect(seenBy(text, true)).toBe(text)
  })

  test('is put on one line, and nothing else about it changes', () => {
    const text = JSON.stringify(update, null, 2).replace('{', '{\r\n  "big": 12345678901234567890.10,')
    expect(seenBy(text, true)).toBe(`{"big":12345678901234567890.10,${JSON.stringify(update).slice(1)}`)
  })

  test('is made where the topic has another encoding', () => {
    const item = itemOf(3, 7, update, Buffer.from([0, 0, 0, 0, 1, 9]))
    expect(JSON.parse(jsonFor(item, EVERYTHING))).toEqual(update)
  })

  test.each([undefined, 1])('has no card for who may not see one, however it is laid out: %s', (indent) => {
    const { card: _, ...rest } = update
    for (const one of [update, { card: CARD, ...rest }, { ...rest, card: CARD }]) {
      const seen = seenBy(JSON.stringify(one, null, indent), false)
      expect(JSON.parse(seen)).toEqual(rest)
      expect(seen).not.toContain(CARD)
    }
  })

  test('has no card where one is named twice, or something is nested deep', () => {
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`
    const seen = seenBy(`{"card":"${CARD}","deep":${deep},"card":"tok_${'f'.repeat(32)}","kind":"session"}`, false)
    expect(seen).toBe(`{"deep":${deep},"kind":"session"}`)
  })
})
