import { toJson } from './json.ts'
import type { Random } from './random.ts'
import type { AvroEncoder, Body, Encoding } from './traffic-record.ts'

export interface Broken {
  key: string | null
  value: Buffer
}

type Breakage = (body: Body, key: string, random: Random) => { key?: string | null; value: Buffer | string }

/** What goes wrong with JSON in real topics. */
const JSON_BREAKAGES: readonly Breakage[] = [
  () => ({ value: '' }),
  (body, _, random) => ({ value: cut(Buffer.from(toJson(body)), random) }),
  () => ({ value: 'connection reset by peer' }),
  () => ({ value: '[{"event_id":"in-a-list"}]' }),
  () => ({ value: '"just a text"' }),
  (body) => ({ value: toJson({ ...body, event_id: undefined }), key: null }),
  (body) => ({ value: toJson({ ...body, event_id: null }), key: '' }),
  (body) => ({ value: toJson({ ...body, event_id: 'x'.repeat(1025) }) }),
  (body) => ({ value: toJson({ ...body, card: 'é'.repeat(600) }) }),
  (body) => ({ value: toJson({ ...body, event_id: { id: 7 } }) }),
  (body) => ({ value: toJson({ ...body, payload: nested(300) }) }),
  (body) => ({ value: toJson({ ...body, payload: { 'a\u0000b': 1 } }) }),
  (body) => ({ value: toJson({ ...body, payload: { amount: 10n ** 40n } }) }),
  (body, _, random) => ({
    value: Buffer.concat([
      Buffer.from(toJson(body).slice(0, -1)),
      Buffer.from([0xff, 0xc3, 0x28]),
      Buffer.from(random.hex(4)),
    ]),
  }),
]

/** What goes wrong with the wire format. `avro` is the record as it should have been. */
const AVRO_BREAKAGES: readonly ((avro: Buffer, random: Random) => Buffer)[] = [
  (avro, random) => cut(avro, random),
  (avro) => Buffer.concat([Buffer.from([1]), avro.subarray(1)]),
  (avro) => Buffer.concat([Buffer.from([0, 0x7f, 0xff, 0xff, 0xfe]), avro.subarray(5)]),
  (avro) => avro.subarray(0, 3),
]

/** A record that nobody can take, with the reason drawn. */
export function breakRecord(
  draft: { type: 'event' | 'response'; key: string; body: Body },
  encoding: Encoding,
  avro: AvroEncoder,
  random: Random,
): Broken {
  if (encoding === 'avro' && random.chance(0.6)) {
    return { key: draft.key, value: choose(AVRO_BREAKAGES, random)(avro(draft.type, draft.body), random) }
  }
  const { key = draft.key, value } = choose(JSON_BREAKAGES, random)(draft.body, draft.key, random)
  return { key, value: typeof value === 'string' ? Buffer.from(value) : value }
}

const choose = <T>(list: readonly T[], random: Random): T => list[random.int(0, list.length - 1)] as T

/** Loses its end. At least the last byte, so that nothing whole is left. */
const cut = (bytes: Buffer, random: Random) => bytes.subarray(0, random.int(6, bytes.length - 1))

function nested(depth: number): unknown {
  let value: unknown = 1
  for (let i = 0; i < depth; i++) value = { a: value }
  return value
}
