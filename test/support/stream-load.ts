import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { memoryOf, processOf } from '../../local/proc.ts'
import { until } from '../../local/until.ts'
import { type StatusTopic, updateOf } from './status-topic.ts'
import type { Order, Plan, Sent, Told } from './stream-load-client.ts'

interface Server {
  pid: number
  url: string
}

export interface LoadOptions {
  topic: StatusTopic
  server: Server
  clients: number
  /** Of all clients. */
  wide: number
  /** Transactions, of so many updates each, one after the other at this pace. */
  transactions: number
  updatesOfEach: number
  everyMs: number
  /** Ends the server, and starts it again at the same port. As many updates again are committed between. */
  restart?: { end: () => Promise<void>; start: () => Promise<Server> }
}

/** Times in milliseconds. */
export interface LoadReport {
  /** What clients missed, had twice, or had though they did not want it. */
  wrong: string[]
  frames: number
  connectMs: number
  slowestConnectMs: number
  /** From just before the commit to the receipt. */
  latency: Quantiles
  /** Of `/healthz` meanwhile, and while clients connect. */
  health: Quantiles
  healthWhileConnecting: Quantiles
  cpuMicrosPerFrame: number
  kibPerClient: number
  rssMib: number
  /** Streams that came back; without a restart none does. */
  reconnects: number
  /** After a restart, from the start being ready to the last frame that was missed, and `/healthz` meanwhile. */
  back?: { allMs: number; health: Quantiles }
}

export interface Quantiles {
  p50: number
  p99: number
  most: number
}

const ZONES = 100
const SESSIONS = 500
const PROBE_MS = 25
const DELIVERY_MS = 60_000

/** Many clients on one server, in a process of their own, while updates are committed. */
export async function runStreamLoad(options: LoadOptions): Promise<LoadReport> {
  const { server, clients, wide, topic } = options
  const child = fork(join(import.meta.dirname, 'stream-load-client.ts'), { execArgv: ['--no-warnings'] })
  try {
    const before = memoryOf(server.pid).VmRSS
    const port = Number(new URL(server.url).port)
    const plan: Plan = { port, clients, wide, zones: ZONES, sessions: SESSIONS }
    const connecting = watchHealth(server.url)
    const { connected, most } = await ask(child, { connect: plan }, 'connected')
    const healthWhileConnecting = quantilesOf(await connecting())
    const rssMib = memoryOf(server.pid).VmRSS
    const kibPerClient = ((rssMib - before) * 1_024) / clients
    // A producer's first transaction takes long.
    await Promise.all(Array.from({ length: topic.partitions }, (_, partition) => topic.abort(partition, [updateOf(0)])))
    const delivering = watchHealth(server.url)
    const cpu = processOf(server.pid).seconds
    const sent = await commitSome(options)
    await haveAll(child, plan, sent)
    const seconds = processOf(server.pid).seconds - cpu
    const health = quantilesOf(await delivering())
    const { latencies, frames } = await ask(child, { judge: sent }, 'wrong')
    const back = options.restart && (await comeBack(child, plan, sent, options))
    const { wrong, reconnects } = await ask(child, { judge: sent }, 'wrong')
    return {
      ...{ wrong, frames, connectMs: connected, slowestConnectMs: most, latency: quantilesOf(latencies), health },
      ...{ healthWhileConnecting, cpuMicrosPerFrame: (seconds * 1e6) / frames, kibPerClient, rssMib, reconnects },
      ...(back && { back }),
    }
  } finally {
    child.kill()
  }
}

async function ask<K extends string>(
  child: ChildProcess,
  order: Order,
  key: K,
): Promise<Extract<Told, Record<K, unknown>>> {
  const answered = new AbortController()
  const { signal } = answered
  child.send(order)
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`The clients ended with ${code}`)
  })
  const [told] = (await Promise.race([once(child, 'message', { signal }), ended]).finally(() => answered.abort())) as [
    Told,
  ]
  if (!(key in told)) throw new Error(`The clients told ${Object.keys(told)} instead of ${key}`)
  return told as Extract<Told, Record<K, unknown>>
}

/** Resolves also when they do not come: what is missing is told in the end. */
async function haveAll(child: ChildProcess, plan: Plan, sent: readonly Sent[]): Promise<void> {
  const expected = framesOf(plan, sent)
  const isThere = async () => {
    const { received, open } = await ask(child, { count: true }, 'received')
    return received >= expected && open === plan.clients
  }
  await until(isThere, { timeoutMs: DELIVERY_MS, what: `${expected} frames have come`, everyMs: 100 }).catch(() => {})
}

async function comeBack(child: ChildProcess, plan: Plan, sent: Sent[], options: LoadOptions) {
  const { end, start } = options.restart as NonNullable<LoadOptions['restart']>
  await end()
  await commitSome({ ...options, everyMs: 0 }, sent)
  const { url } = await start()
  const began = performance.now()
  const coming = watchHealth(url)
  await haveAll(child, plan, sent)
  return { allMs: performance.now() - began, health: quantilesOf(await coming()) }
}

async function commitSome(options: LoadOptions, sent: Sent[] = []): Promise<Sent[]> {
  const { topic, transactions, updatesOfEach, everyMs } = options
  for (let i = 0; i < transactions; i++) {
    const next = Date.now() + everyMs
    const partition = i % topic.partitions
    const updates = Array.from({ length: updatesOfEach }, (_, n) => {
      const number = sent.length + n
      const fields = { event_id: `n${number}`, zone_id: `Z${number % ZONES}`, session_id: `S${number % SESSIONS}` }
      return updateOf(partition, fields)
    })
    const committedAt = await topic.commit(partition, updates)
    for (let n = 0; n < updatesOfEach; n++)
      sent.push({ partition, zone: sent.length % ZONES, session: sent.length % SESSIONS, committedAt })
    await sleep(Math.max(0, next - Date.now()))
  }
  return sent
}

function framesOf({ clients, wide }: Plan, sent: readonly Sent[]): number {
  const [byZone, bySession] = [new Map<number, number>(), new Map<number, number>()]
  for (const { zone, session } of sent) {
    byZone.set(zone, (byZone.get(zone) ?? 0) + 1)
    bySession.set(session, (bySession.get(session) ?? 0) + 1)
  }
  let frames = 0
  for (let i = 0; i < clients; i++) {
    if (i < clients * wide) frames += sent.length
    else frames += (i % 2 === 0 ? byZone.get(i % ZONES) : bySession.get(i % SESSIONS)) ?? 0
  }
  return frames
}

/** Asks again and again; what it returns ends that, and gives how long the answers took. */
function watchHealth(url: string): () => Promise<number[]> {
  const ending = new AbortController()
  const work = (async () => {
    const times: number[] = []
    while (!ending.signal.aborted) {
      const from = performance.now()
      await (await fetch(`${url}/healthz`)).text()
      times.push(performance.now() - from)
      await sleep(PROBE_MS)
    }
    return times
  })()
  return () => {
    ending.abort()
    return work
  }
}

function quantilesOf(unsorted: readonly number[]): Quantiles {
  const times = [...unsorted].sort((a, b) => a - b)
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99), most: at(1) }
}
