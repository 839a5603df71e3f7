import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createCards } from '../../../src/normalize/card-data.ts'

const CARD = '4111111111111111'
const cards = createCards({ tokenKey: 'secret', exemptPaths: [] })
const TOKEN = cards.cleanText(CARD)
const clean = (text: string, encoding: BufferEncoding = 'utf8') => cards.cleanBytes(Buffer.from(text, encoding))
const cleanText = (text: string) => clean(text).value?.toString() ?? null

describe('text', () => {
  test('without card data is the same bytes', () => {
    const value = Buffer.from('{"event_id": "e1", "amount": 2.50')
    expect(cards.cleanBytes(value)).toEqual({ value, altered: false })
    expect(cards.cleanBytes(value).value).toBe(value)
  })

  test.each([
    ['a whole value', CARD, TOKEN],
    ['cut-off JSON', `{"card": "${CARD}", "x`, `{"card": "${TOKEN}", "x`],
    ['a number in JSON stays JSON', `{"card":${CARD},"n":[ ${CARD} ]}`, `{"card":"${TOKEN}","n":[ "${TOKEN}" ]}`],
    ['a sentence', `card ${CARD} refused`, `card ${TOKEN} refused`],
    ['JSON within a string', `{"s":"{\\"pan\\":${CARD}}"}`, `{"s":"{\\"pan\\":${TOKEN}}"}`],
  ])('has tokens for its card numbers: %s', (_, text, expected) => {
    expect(cleanText(text)).toBe(expected)
    expect(clean(text).altered).toBe(true)
  })

  test.each([
    ['a text', '{"cvv":"123","a":1', '{"cvv":"","a":1'],
    ['a number', '{"cvv" : 123, "a":1', '{"cvv" : "", "a":1'],
    ['within a string', '{"s":"{\\"CVC\\":\\"123\\"}"', '{"s":"{\\"CVC\\":\\"\\"}"'],
  ])('has security codes blanked: %s', (_, text, expected) => expect(cleanText(text)).toBe(expected))

  test('keeps what only looks like one', () => {
    for (const text of ['{"status":"expired"', '{"pinned":"123"', '{"session":"IC4111111111111111N"']) {
      expect(clean(text).altered).toBe(false)
    }
  })

  test('that spells a card number as escapes has a token or is withheld', () => {
    expect(clean('{"card":"\\u0034111111111111111"}')).toEqual({ value: null, altered: true })
    for (const between of ['\\u00a0', '\\u002f', '\\u0009', '\\u2013'])
      expect(cleanText(`{"card":"${['4111', '1111', '1111', '1111'].join(between)}"`)).toBe(`{"card":"${TOKEN}"`)
    expect(clean('{"text":"\\u0034 wheels"}').altered).toBe(false)
    expect(clean('{"text":"\\"IC4111111111111111N\\"", "day":"12\\u002f24"').altered).toBe(true)
  })
})

describe('binary data', () => {
  test.each([
    [
      'Avro, the length of the next string a digit',
      Buffer.concat([Buffer.from([0, 0, 0, 0, 1, 32]), Buffer.from(`${CARD}02023-06-01`)]),
    ],
    ['no UTF-8', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(CARD)])],
    ['UTF-16', Buffer.from(`card ${CARD}`, 'utf16le')],
    ['UTF-16 from an odd place on', Buffer.concat([Buffer.from([7]), Buffer.from(`card ${CARD}`, 'utf16le')])],
    ['UTF-16, with dashes', Buffer.from('4111–1111–1111–1111', 'utf16le').swap16()],
    ['UTF-16, in groups', Buffer.from('4111.1111.1111.1111', 'utf16le')],
    ['Avro, in groups', Buffer.from('\0\0\0\0\t&4111.1111.1111.11112')],
    ['Avro, no-break blanks', Buffer.from('\0\0\0\0\t.4111\u00a01111\u00a01111\u00a011112')],
    ['Latin-1 with no-break blanks', Buffer.from('caf\xe9 4111\xa01111\xa01111\xa01111', 'latin1')],
  ])('that shows a card number is withheld: %s', (_, value) => {
    expect(cards.cleanBytes(value)).toEqual({ value: null, altered: true })
  })

  test('that shows none is the same bytes', () => {
    const value = Buffer.from([0, 0, 0, 0, 1, 255, 49, 50, 51])
    expect(cards.cleanBytes(value).value).toBe(value)
  })
})

test('nothing that clean would take is left in the bytes of any JSON with a card', () => {
  const card = fc.constantFrom(CARD, '5555555555554444', '378282246310005', '6011111111111117')
  const value = fc.oneof(
    card,
    card.map(Number),
    fc.string().map((text) => `${text} ${CARD} `),
  )
  const body = fc.dictionary(fc.string(), fc.oneof(fc.json(), value, fc.array(value)), { minKeys: 1 })
  fc.assert(
    fc.property(body, fc.nat(), (object, cut) => {
      const text = JSON.stringify(object)
      for (const bytes of [Buffer.from(text), Buffer.from(text.slice(0, cut % text.length))]) {
        const kept = cards.cleanBytes(bytes).value
        if (kept === null) continue
        expect(cards.cleanText(kept.toString())).toBe(kept.toString())
        expect(cards.cleanBytes(kept).altered).toBe(false)
      }
    }),
  )
})

test('hostile text of a megabyte takes no time', () => {
  const started = performance.now()
  for (const unit of ['\\', '"', ' ', ': ', '1', '1 ', '"a":', '\\"']) clean(unit.repeat(1_000_000 / unit.length))
  expect(performance.now() - started).toBeLessThan(10_000)
})

describe('base64 of a text with a card number', () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64')

  test.each([[CARD], [`paid with ${CARD}`], [`{"pan":"${CARD}"}`]])('is base64 without it: %s', (text) => {
    expect(cards.cleanText(base64(text))).toBe(base64(text.replace(CARD, TOKEN)))
    expect(clean(`{"bytes":"${base64(text)}"`)).toEqual({ value: null, altered: true })
  })

  test.each([
    ['without padding', base64(`of ${CARD}`).replace(/=+$/, ''), base64(`of ${TOKEN}`)],
    ['in a text', `Basic ${base64(`u:${CARD}`)}, x`, `Basic ${base64(`u:${TOKEN}`)}, x`],
    ['twice', `${base64(CARD)} ${base64(CARD)}`, `${base64(TOKEN)} ${base64(TOKEN)}`],
    ['in a path', `/pay/${base64(CARD)}`, 'withheld='],
    [
      'in base64url',
      Buffer.from(`??~${CARD}~~?`).toString('base64url'),
      Buffer.from(`??~${TOKEN}~~?`).toString('base64url'),
    ],
    ['in JSON in it', base64(JSON.stringify({ raw: base64(CARD) })), 'withheld'],
  ])('is found %s', (_, text, expected) => expect(cards.cleanText(text)).toBe(expected))

  test('is found wherever it stands', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), fc.string({ maxLength: 40 }), (before, after) => {
        const clean = cards.cleanText(`${before}|${base64(CARD)}|${after}`)
        expect(clean).not.toContain(base64(CARD))
      }),
    )
  })

  test('is withheld where the bytes are no text', () => {
    expect(cards.cleanText(base64(`\0\x01${CARD}`))).toBe('withheld')
  })

  test.each([
    [base64('no card at all, only words')],
    ['507f1f77bcf86cd799439011'],
    ['a4b1c9d2e3f4a5b6'],
    ['AAAA'.repeat(9)],
  ])('%s stays', (text) => expect(cards.cleanText(text)).toBe(text))
})

describe('a value in the wire format that nobody could decode', () => {
  /** As Avro and Protobuf write a whole number. */
  const varint = (number: bigint): number[] =>
    number < 0x80n ? [Number(number)] : [Number(number & 0x7fn) | 0x80, ...varint(number >> 7n)]
  const framed = (...bytes: number[]) => Buffer.from([0, 0, 0, 0, 9, 4, 0x65, 0x31, ...bytes, 6, 0x61, 0x62, 0x63])

  test.each([
    ['of Avro', BigInt(CARD) * 2n],
    ['of Avro, negative', BigInt(CARD) * 2n - 1n],
    ['of Protobuf', BigInt(CARD)],
  ])('is withheld for a card number as a number %s', (_, number) => {
    expect(cards.cleanBytes(framed(...varint(number)))).toEqual({ value: null, altered: true })
  })

  test.each([
    ['another number', framed(...varint((BigInt(CARD) + 1n) * 2n))],
    ['an instant', framed(...varint(1_795_000_000_000n * 2n))],
    ['no wire format', Buffer.from([1, ...varint(BigInt(CARD)), 0xff])],
  ])('stays with %s', (_, value) => expect(cards.cleanBytes(value).altered).toBe(false))
})
