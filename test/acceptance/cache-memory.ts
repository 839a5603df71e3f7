import { fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { memoryOf } from '../../local/proc.ts'
import {
  type Answer,
  type Part,
  subjectOfCard,
  subjectOfEvent,
  subjectOfSession,
} from '../../src/serve/cache/answer.ts'
import { createReadThrough, type Question } from '../../src/serve/cache/read-through.ts'
import { createRandom } from '../../src/simulate/random.ts'

/**
 * Many more keys than the cache may keep: whether it stays within SERVE_CACHE_MB, and what it gives for that. Each run is a process
 * of its own, so that its memory is its own. Prints figures; exits with 1 where what lives on the heap misses the bound by more than 15 %.
 *
 *     node test/acceptance/cache-memory.ts --keys 10000000
 *     node test/acceptance/cache-memory.ts --keys 200000 --events 20     # lists of so many events
 */
const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '10000000' },
    events: { type: 'string', default: '1' },
    sizes: { type: 'string', default: '64,256' },
    run: { type: 'string' },
  },
})
const keys = Number(values.keys)
const events = Number(values.events)
const MIB = 1_048_576
const MOST_OFF = 0.15
/** Look-ups that go on at the same time, as a server's do. */
const AT_ONCE = 50

const say = (line: string) => {
  process.stdout.write(`${line}\n`)
}

type Ways = 'uniform' | 'skewed'

/** Uniform: each key once, in an order that has nothing to do with their numbers. Skewed: the first ones far more often. */
function chooser(way: Ways): (n: number) => number {
  if (way === 'uniform') return (n) => (n * 7_368_787) % keys
  const random = createRandom('skewed')
  return () => Math.floor(keys ** random.next()) - 1
}

const BODY = 'x'.repeat(330)

/** In one piece, as texts are after they were compared, looked up or digested: reading one as a number does that too. */
function flat(text: string): string {
  Number(text)
  return text
}

function partOf(id: string, end: number): Part {
  const version = flat(`001717245375000 finished parkmobile.events 0000000003 0000000000${id}\t\t\t001717245375000`)
  const lists = [flat(subjectOfSession(`IC${id}N`)), flat(subjectOfCard(`tok_${id.padStart(32, '0')}`))]
  const subject = flat(subjectOfEvent(id))
  return { subject, version, at: 1_717_245_375_000, zone: flat(`9${id.slice(-6)}`), lists, isGone: false, end }
}

function jsonOf(id: string): string {
  const cache = `{"kind":"session","status":"finished","sessionId":"IC${id}N","observedAt":"2024-06-01T12:36:15.000Z"}`
  const response = `{"event_type":"parking_stop","zone_id":"9${id.slice(-6)}","session_data":{"session_id":"IC${id}N","note":"${BODY}"}}`
  const times = '"createdAt":"2024-06-01T12:36:15.000Z","updatedAt":"2024-06-01T12:36:15.000Z"'
  return `{"_id":"${id}","card":"tok_${id.padStart(32, '0')}","http_status":200,"response":${response},${times},"cache":${cache}}`
}

function answerOf(i: number): Answer {
  const ids = Array.from({ length: events }, (_, k) => String(i * events + k).padStart(14, '0'))
  const texts = ids.map(jsonOf)
  const json = flat(texts.join(','))
  let end = -1
  const parts = ids.map((id, k) => {
    end += 1 + (texts[k]?.length ?? 0)
    return partOf(id, end)
  })
  return { json, parts, etag: `"${createHash('sha1').update(json).digest('base64url')}"`, next: null }
}

function questionOf(i: number, onLoad: () => void): Question {
  const id = String(i).padStart(14, '0')
  const subject = events === 1 ? subjectOfEvent(id) : subjectOfCard(id)
  return {
    key: events === 1 ? subject : `l:50::${id}`,
    subjects: [subject],
    load: async () => {
      onLoad()
      return { answer: answerOf(i), layer: 'mongodb', belongs: () => true }
    },
  }
}

async function run(way: Ways, mostBytes: number): Promise<void> {
  const collect = (globalThis as { gc?: () => void }).gc as () => void
  collect()
  const before = { heap: process.memoryUsage().heapUsed, rss: memoryOf('self').VmRSS }
  let evictions = 0
  let loads = 0
  const cache = createReadThrough({ mostBytes, isTold: () => true, onEvicted: () => evictions++ })
  const choose = chooser(way)
  const began = performance.now()
  let next = 0
  const reader = async () => {
    while (next < keys) await cache.look(questionOf(choose(next++), () => loads++))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, reader))
  const seconds = (performance.now() - began) / 1_000
  const rss = memoryOf('self')
  collect()
  const heap = process.memoryUsage().heapUsed - before.heap
  const off = heap / mostBytes - 1
  say(
    `${way} ${mostBytes / MIB} MiB: counts ${(cache.bytes / MIB).toFixed(1)} MiB, on the heap ${(heap / MIB).toFixed(1)} MiB (${(100 * off).toFixed(1)} %), ` +
      `resident ${rss.VmRSS} MiB (peak ${rss.VmHWM}, before ${before.rss}); ${cache.size} entries, ${evictions} evictions, ` +
      `hit ratio ${(1 - loads / keys).toFixed(3)}, ${((seconds * 1e6) / keys).toFixed(1)} µs a look-up`,
  )
  cache.close()
  process.exitCode = Math.abs(off) > MOST_OFF && evictions > 0 ? 1 : 0
}

async function main(): Promise<void> {
  if (values.run !== undefined) {
    const [way, mib] = values.run.split(' ') as [Ways, string]
    return run(way, Number(mib) * MIB)
  }
  for (const mib of values.sizes.split(',')) {
    for (const way of ['uniform', 'skewed']) {
      const args = ['--keys', values.keys, '--events', values.events, '--run', `${way} ${mib}`]
      const child = fork(fileURLToPath(import.meta.url), args, { execArgv: ['--expose-gc'] })
      const [code] = await once(child, 'exit')
      if (code !== 0) process.exitCode = 1
    }
  }
}

await main()
