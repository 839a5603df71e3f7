import { isCardNumber } from '../../src/normalize/card-numbers.ts'

/** Records of so many bytes, each made to cost as much as can be, by what is in them. */
export function hostileRecords(bytes: number): Record<string, Buffer> {
  const cards = cardsOf(bytes)
  const whole = { ...textsOf(bytes, cards), ...meaningfulTexts(bytes), ...valuesOf(bytes), ...keysOf(bytes, cards) }
  const broken = brokenOnes(bytes, cards)
  return Object.fromEntries([
    ...Object.entries(whole).map(([name, fields]) => [name, Buffer.from(record(fields))] as const),
    ...Object.entries(broken).map(([name, text]) => [name, Buffer.from(text)] as const),
  ])
}

const record = (fields: string) => `{"event_id":"e",${fields}}`
const times = (unit: string, bytes: number) => unit.repeat(Math.floor(bytes / unit.length))
const base64 = (text: string) => Buffer.from(text).toString('base64')
const text = (unit: string, bytes: number, name = 'note') => `"${name}":"${times(unit, bytes)}"`
const list = (item: string, bytes: number) => `"list":[${again(item, bytes)}]`
const again = (field: string, bytes: number) => times(`${field},`, bytes).slice(0, -1)

/** Different card numbers, one after the other. */
function cardsOf(bytes: number): string[] {
  const cards: string[] = []
  for (let number = 4e15; cards.length < bytes / 17; number++) {
    if (isCardNumber(String(number))) cards.push(String(number))
  }
  return cards
}

const textsOf = (bytes: number, cards: string[]) => ({
  'one run of a digit': text('1', bytes),
  'digits with blanks': text('4 ', bytes),
  'one run of card numbers': text('4111111111111111', bytes),
  'the same card number': text('4111111111111111 ', bytes),
  'different card numbers': `"note":"${cards.join(' ')}"`,
  'almost card numbers': text('4111111111111112 ', bytes),
  'card numbers within words': text('4111111111111111x ', bytes),
  'digits with hyphens': text('4-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-', bytes),
  'groups of cards': text('4111.', bytes),
  'card numbers in groups': text('4111.1111.1111.1111 ', bytes),
  'groups two blanks apart': text('4111  ', bytes),
  'no-break blanks': text('4\u00a0', bytes / 1.5),
  'percent escapes': text('%20', bytes),
  backslashes: text('\\\\', bytes),
  'hyphens alone': text('-', bytes),
  'base64 of card numbers': text(base64('4111111111111111'), bytes),
  'base64 of almost card numbers': text(base64('4111111111111112 '), bytes),
  'short pieces of base64': text('aaaaaaaaaaaaaaaaaa ', bytes),
  UUIDs: text('123e4567-e89b-12d3-a456-426614174000 ', bytes),
  times: text('2023-06-01T12:30:15.123 ', bytes),
  'decimal numbers in a text': text('1.1,', bytes),
  'escaped quotes': text('\\"', bytes),
  'escaped digits': text('\\u0034', bytes),
  'escaped surrogates': text('\\ud83d\\ude97', bytes),
  'escaped NULs': text('\\u0000', bytes),
})

/** In fields that are looked at more closely than others. */
const meaningfulTexts = (bytes: number) => ({
  'digits as the event id': text('1', bytes, 'event_id'),
  'digits as the status': text('1 ', bytes, 'status'),
  'digits as the HTTP status': text('1', bytes, 'http_status'),
  'blanks as the HTTP status': text(' ', bytes, 'http_status'),
  'digits as the timestamp': text('1', bytes, 'timestamp'),
  'times as the timestamp': text('2023-06-01T12:30:15', bytes, 'timestamp'),
  'almost card numbers as the session id': `"session_data":{${text('4111111111111112 ', bytes, 'session_id')}}`,
  'times as the end of a session': `"session_data":{${text('12:30 ', bytes, 'stopTimeLocal')}}`,
  'words as the time zone': `"session_data":{${text('America/', bytes, 'timeZoneStandardName')}}`,
})

const valuesOf = (bytes: number) => ({
  'empty lists': list('[]', bytes),
  'small objects': list('{"a":1}', bytes),
  'small numbers': list('1', bytes),
  'numbers beyond a double': list('12345678901234567', bytes),
  'great exponents': list('1e400', bytes),
  'one long number': `"number":${times('9', bytes)}`,
  'one long fraction': `"number":0.${times('7', bytes)}`,
  'deep lists': `"deep":${times('[', bytes / 2)}${times(']', bytes / 2)}`,
  'deep objects': `"deep":${times('{"a":', (bytes * 5) / 6)}1${times('}', bytes / 6)}`,
})

const keysOf = (bytes: number, cards: string[]) => ({
  'different keys': Array.from({ length: bytes / 12 }, (_, i) => `"k${i.toString(36).padStart(6, '0')}":1`).join(),
  'card numbers as keys': cards
    .slice(0, bytes / 21)
    .map((card) => `"${card}":1`)
    .join(),
  'one key again and again': again('"a":1', bytes),
  'session ids again and again': `"session_data":{${again('"session_id":1', bytes)}}`,
})

/** What is no JSON, and is looked through as text before it is a dead letter. */
const brokenOnes = (bytes: number, cards: string[]) => ({
  'lists that never end': times('[', bytes),
  'blanks before what is broken': `${times(' ', bytes)}{`,
  'broken: card numbers': `{${cards.join(' ')}`,
  'broken: digits': `{${times('1', bytes)}`,
  'broken: digits with blanks': `{${times('1 ', bytes)}`,
  'broken: names of security codes': `{${times('"cvv":"1",', bytes)}`,
  'broken: names without values': `{${times('"cvv":', bytes)}`,
  'broken: names without colons': `{${times('"a" ', bytes)}`,
  'broken: base64 of card numbers': `{${times(`${base64('4111111111111112')} `, bytes)}`,
  'broken: groups of cards': `{${times('4111.', bytes)}`,
  'broken: escaped digits': `{${times('\\u0034', bytes)}`,
  'broken: escaped quotes': `{${times('\\\\\\"', bytes)}`,
  'broken: one string': `{"${times('a', bytes)}`,
})
