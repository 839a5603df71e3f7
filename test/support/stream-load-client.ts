/** The clients of `stream-load.ts`, in a process of their own: raw sockets, and no more kept of a frame than its number. */
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Plan {
  port: number
  clients: number
  /** The share of clients that want all; of the others, half want one zone, and half one session. */
  wide: number
  zones: number
  sessions: number
}

export interface Sent {
  partition: number
  zone: number
  session: number
  /** Epoch ms. */
  committedAt: number
}

export type Told =
  | { connected: number; most: number }
  | { received: number; open: number }
  | { wrong: string[]; frames: number; latencies: number[]; reconnects: number }
export type Order = { connect: Plan } | { count: true } | { judge: Sent[] }

interface Client {
  wants: { zone?: number; session?: number }
  path: string
  rest: string
  lastId: string
  connections: number
  isOpen: boolean
  numbers: number[]
}

const AT_ONCE = 100
/** A client that was cut off comes back after up to so long. */
const BACK_MS = 1_000
const ID = /^id: (.+)$/m
const NUMBER = /"event_id":"n(\d+)"/
const clients: Client[] = []
/** Of each frame: the number of its update, and when it came. */
const numbers: number[] = []
const times: number[] = []

function clientOf(i: number, { clients: all, wide, zones, sessions }: Plan): Client {
  const wants = i < all * wide ? {} : i % 2 === 0 ? { zone: i % zones } : { session: i % sessions }
  const query = 'zone' in wants ? `&zone=Z${wants.zone}` : 'session' in wants ? `&session=S${wants.session}` : ''
  const path = `/v1/status-updates?all=true${query}`
  return { wants, path, rest: '', lastId: '', connections: 0, isOpen: false, numbers: [] }
}

/** Resolves at its first bytes; whatever ends it later, it comes back. */
function open(client: Client, port: number): Promise<void> {
  return new Promise((resolve) => {
    const position = client.lastId === '' ? '' : `last-event-id: ${client.lastId}\r\n`
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(`GET ${client.path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\n${position}\r\n`),
    )
    client.rest = ''
    socket.on('data', (bytes) => {
      const text = bytes.toString('latin1')
      if (!client.isOpen && !text.startsWith('HTTP/1.1 200')) return void socket.destroy() // not ready yet
      if (!client.isOpen) {
        client.isOpen = true
        client.connections++
        resolve()
      }
      read(client, text)
    })
    socket.on('error', () => {})
    socket.on('close', async () => {
      client.isOpen = false
      await sleep(Math.random() * BACK_MS)
      resolve(open(client, port))
    })
  })
}

function read(client: Client, text: string): void {
  const now = Date.now()
  const frames = (client.rest + text).split('\n\n')
  client.rest = frames.pop() ?? ''
  for (const frame of frames) {
    client.lastId = ID.exec(frame)?.[1] ?? client.lastId
    const number = Number(NUMBER.exec(frame)?.[1] ?? -1)
    if (number < 0) continue
    numbers.push(number)
    times.push(now)
    client.numbers.push(number)
  }
}

async function connectAll(plan: Plan): Promise<Told> {
  const began = performance.now()
  let most = 0
  for (let i = 0; i < plan.clients; i++) clients.push(clientOf(i, plan))
  const waiting = [...clients]
  const work = async () => {
    for (let client = waiting.shift(); client; client = waiting.shift()) {
      const from = performance.now()
      await open(client, plan.port)
      most = Math.max(most, performance.now() - from)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return { connected: performance.now() - began, most }
}

function judge(sent: Sent[]): Told {
  const wrong: string[] = []
  let reconnects = 0
  for (const [i, { wants, numbers: own, connections, isOpen }] of clients.entries()) {
    reconnects += connections - 1
    const wanted = sent.flatMap(({ zone, session }, number) =>
      (wants.zone ?? zone) === zone && (wants.session ?? session) === session ? [number] : [],
    )
    const seen = [...own].sort((a, b) => a - b)
    if (seen.join() !== wanted.join() || !isInOrder(own, sent) || !isOpen)
      wrong.push(`client ${i} wanted ${wanted.length} and has ${seen.length}, over ${connections} connections`)
  }
  const latencies = numbers.map((number, i) => (times[i] as number) - (sent[number] as Sent).committedAt)
  return { wrong, frames: numbers.length, latencies, reconnects }
}

/** That of the partitions. */
function isInOrder(own: readonly number[], sent: readonly Sent[]): boolean {
  const last: number[] = []
  return own.every((number) => {
    const { partition } = sent[number] as Sent
    const before = last[partition] ?? -1
    last[partition] = number
    return number > before
  })
}

process.on('message', async (order: Order) => {
  if ('connect' in order) process.send?.(await connectAll(order.connect))
  else if ('judge' in order) process.send?.(judge(order.judge))
  else process.send?.({ received: numbers.length, open: clients.filter(({ isOpen }) => isOpen).length })
})
