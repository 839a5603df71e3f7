import { readFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { parseArgs } from 'node:util'
import avsc, { type Schema } from 'avsc'
import fc from 'fast-check'
import type { Taken } from '../../src/place-chunk.ts'
import { jsonTestSuite, naughtyStrings } from '../support/corpora.ts'

/**
 * Structured fuzzing of all that a record passes before it leaves the process: records of the simulator and public test data, changed
 * byte by byte and field by field, through decoder, normalizer, placing, BSON, packs and dead letters. Nothing may throw, and no record may take
 * longer than it should. Prints executions, the slowest record, and how much of the code was run; exits with 1 at a failure.
 *
 *     node test/acceptance/fuzz.ts --minutes 10 --seed 1
 */
// What is loaded from here on is watched.
const session = new Session()
session.connect()
await session.post('Profiler.enable')
await session.post('Profiler.startPreciseCoverage', { callCount: false, detailed: true })
const { createAvroReader } = await import('../../src/decode/avro.ts')
const { createJsonTextHook } = await import('../../src/decode/avro-schema.ts')
const { createDecoder } = await import('../../src/decode/decoder.ts')
const { rejectFrom } = await import('../../src/decode/rejected.ts')
const { encodeEach } = await import('../../src/documents/bson.ts')
const { createCards } = await import('../../src/normalize/card-data.ts')
const { factsOf } = await import('../../src/normalize/facts.ts')
const { normalize, tombstoneId } = await import('../../src/normalize/normalize.ts')
const { placeChunk } = await import('../../src/place-chunk.ts')
const { createRandom } = await import('../../src/simulate/random.ts')
const { traffic } = await import('../../src/simulate/traffic.ts')
const { deadLetter } = await import('../../src/stream/dead-letters.ts')
const { pack } = await import('../../src/stream/packs.ts')

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string', default: '1' } },
})
const MOST_MS = 1_000
const decoder = createDecoder(null)
const cards = createCards({ tokenKey: 'a key for tests, of no other use', exemptPaths: ['session_data.barcode'] })
const schemas = (['event', 'response'] as const).map((name) => {
  const schema = JSON.parse(readFileSync(new URL(`../../schemas/${name}.avsc`, import.meta.url), 'utf8'))
  const type = avsc.Type.forSchema(schema as Schema, { typeHook: createJsonTextHook() as never })
  return createAvroReader(type, 'http_status')
})

/** What the program makes of one value, up to what it would send and store. */
function take(value: Buffer | null, key: Buffer | null, type: 'event' | 'response', avro: boolean): string {
  const record = { topic: 't', partition: 1, offset: '7', timestamp: Date.now(), key, value, headers: {} }
  const taken = understand(record, type, avro)
  const placed = placeChunk([taken], () => undefined, Date.now(), { retentionMs: 9e11, maxClockSkewMs: 300_000 })
  const documents = [...placed.entries.values()].map(({ document }) => document)
  encodeEach(documents, () => {})
  pack(placed.observations, 12)
  for (const { reject } of placed.rejects) deadLetter(record, reject, 12, cards)
  return placed.rejects[0]?.reject.reject ?? 'taken'
}

function understand(record: Taken['record'], type: 'event' | 'response', avro: boolean): Taken {
  const { value, key } = record
  if (value === null) {
    const id = tombstoneId(key, cards)
    return typeof id === 'string' ? { record, id, normalized: null } : { record, reject: id }
  }
  const decoded = avro ? readAvro(value, type) : decoder.decode(value)
  if ('reject' in decoded) return { record, reject: decoded }
  const normalized = normalize(type, key, decoded.value, cards)
  if ('reject' in normalized) return { record, reject: normalized }
  factsOf(normalized.content)
  return { record, id: normalized.id, normalized }
}

function readAvro(value: Buffer, type: 'event' | 'response') {
  try {
    return { value: schemas[type === 'event' ? 0 : 1]?.(value) ?? null }
  } catch (error) {
    return rejectFrom(error, 1)
  }
}

/** Records as they come: text, and the parsed value. */
function seeds() {
  const shares = { duplicates: 0, late: 0, malformed: 0.05, tombstones: 0.01, spread: 0 }
  const options = {
    seed: values.seed,
    start: Date.now(),
    pace: 100,
    dayCurve: false,
    encoding: 'json' as const,
    shares,
  }
  const texts: Buffer[] = []
  for (const { value } of traffic(options, () => Buffer.alloc(0))) {
    if (value !== null) texts.push(value)
    if (texts.length === 2_000) break
  }
  return [...texts, ...jsonTestSuite().map(({ bytes }) => bytes.subarray(0, 2_000))]
}

const texts = seeds()
const naughty = naughtyStrings()
const FRAGMENTS = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ':',
  ',',
  '\\',
  '\\u0000',
  '\\ud800',
  'null',
  '1e999',
  '-0',
  '9'.repeat(25),
  '4111 1111 1111 1111',
  '"cvv":"1"',
  '\u0000',
  '\ufeff',
  'é',
  '2023-06-01T12:30:15',
  '$',
  '.',
  '__proto__',
]

/** A seed with some of its bytes replaced, removed or repeated. */
const mutated = fc
  .tuple(
    fc.integer({ min: 0, max: texts.length - 1 }),
    fc.array(fc.tuple(fc.nat(), fc.nat(5), fc.nat(), fc.nat(40)), { maxLength: 8 }),
  )
  .map(([index, changes]) => {
    let bytes = texts[index] as Buffer
    for (const [where, how, what, length] of changes) {
      const at = bytes.length === 0 ? 0 : where % bytes.length
      const piece = [
        Buffer.from(FRAGMENTS[what % FRAGMENTS.length] as string),
        Buffer.from([what & 0xff]),
        Buffer.from(JSON.stringify(naughty[what % naughty.length])),
        bytes.subarray(at, at + length),
        Buffer.alloc(0),
        (texts[what % texts.length] as Buffer).subarray(0, length),
      ][how] as Buffer
      bytes = Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + (how % 2) * length)])
    }
    return bytes
  })

/** Any JSON under the names that mean something. */
const NAMES =
  `event_id event_type card zone_id session_data timestamp status http_status payload user_id response session_id sessionId
  parkingrightId stopTimeUtc stopTimeLocal timeZoneStandardName price amount errors application/json cvv expiry`.split(
    /\s+/,
  )
const leaf = fc.oneof(
  fc.constantFrom(...naughty),
  fc.constantFrom(
    '2023-06-01T12:30:15',
    '6/1/2023 3:36 PM',
    '2,00 €',
    '411111------1111',
    'Eastern Standard Time',
    'ON_GOING',
    '',
    ' ',
  ),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
)
const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('value'), { maxLength: 4 }), tie('object')),
  object: fc.dictionary(fc.oneof(fc.constantFrom(...NAMES), fc.constantFrom(...naughty)), tie('value'), { maxKeys: 6 }),
}))
const shaped = fc
  .dictionary(fc.constantFrom(...NAMES), anyValue, { maxKeys: 12 })
  .map((fields) => Buffer.from(JSON.stringify(fields)))

const anyRecord = fc.record({
  value: fc.oneof(
    mutated,
    shaped,
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.constant(null),
  ),
  key: fc.oneof(
    fc.constant(null),
    fc.string().map((text) => Buffer.from(text)),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  ),
  type: fc.constantFrom('event' as const, 'response' as const),
  avro: fc.boolean(),
})

const outcomes: Record<string, number> = {}
let slowest = 0
const until = Date.now() + Number(values.minutes) * 60_000
let failure: string | null = null
let seed = createRandom(values.seed).int(1, 1e9)
for (; Date.now() < until && failure === null; seed++) {
  const details = fc.check(
    fc.property(anyRecord, ({ value, key, type, avro }) => {
      const began = performance.now()
      const outcome = take(value, key, type, avro)
      const took = performance.now() - began
      slowest = Math.max(slowest, took)
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
      if (took > MOST_MS || outcome === 'unexpected') throw new Error(`${outcome} after ${Math.round(took)} ms`)
    }),
    { numRuns: 20_000, seed, interruptAfterTimeLimit: until - Date.now() },
  )
  if (details.failed && !details.interrupted) failure = fc.defaultReportMessage(details) ?? 'failed'
}

const { result } = (await session.post('Profiler.takePreciseCoverage')) as unknown as { result: ScriptCoverage[] }
interface ScriptCoverage {
  url: string
  functions: { ranges: { startOffset: number; endOffset: number; count: number }[] }[]
}
const say = (line: string) => {
  process.stdout.write(`${line}\n`)
}
const executions = Object.values(outcomes).reduce((sum, count) => sum + count, 0)
say(`${executions} executions in ${values.minutes} minutes, the slowest ${slowest.toFixed(0)} ms`)
for (const [outcome, count] of Object.entries(outcomes).sort(([, a], [, b]) => b - a))
  say(`${String(count).padStart(10)}  ${outcome}`)
for (const { url, functions } of result) {
  const file = /\/src\/((?:decode|normalize)\/[\w-]+\.ts)$/.exec(url)?.[1]
  if (file !== undefined) say(`${(100 * covered(functions)).toFixed(0).padStart(4)} % of ${file}`)
}
say(failure ?? 'no crash, no hang')
process.exit(failure === null ? 0 : 1)

/** Share of the bytes of a file that were run: the innermost range counts. */
function covered(functions: ScriptCoverage['functions']): number {
  const ranges = functions
    .flatMap((one) => one.ranges)
    .sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset)
  const total = ranges[0]?.endOffset ?? 0
  const run = new Uint8Array(total)
  for (const { startOffset, endOffset, count } of ranges) run.fill(count > 0 ? 1 : 0, startOffset, endOffset)
  return run.reduce((sum, one) => sum + one, 0) / Math.max(1, total)
}
