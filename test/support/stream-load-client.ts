/** The clients of `stream-load.ts`, in a process of their own: raw sockets, and no more kept of a frame than its number. */
import { connect, type Socket } from 'node:net'

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
  | { received: number }
  | { wrong: string[]; frames: number; latencies: number[] }
export type Order = { connect: Plan } | { count: true } | { judge: Sent[] }

interface Client {
  wants: { zone?: number; session?: number }
  path: string
  rest: string
  isOpen: boolean
  numbers: number[]
}

const AT_ONCE = 100
const NUMBER = /"event_id":"n(\d+)"/
const clients: Client[] = []
/** Of each frame: the number of its update, and when it came. */
const numbers: number[] = []
const times: number[] = []

function clientOf(i: number, { clients: all, wide, zones, sessions }: Plan): Client {
  const wants = i < all * wide ? {} : i % 2 === 0 ? { zone: i % zones } : { session: i % sessions }
  const query = 'zone' in wants ? `&zone=Z${wants.zone}` : 'session' in wants ? `&session=S${wants.session}` : ''
  return { wants, path: `/v1/status-updates?all=true${query}`, rest: '', isOpen: false, numbers: [] }
}

function open(client: Client, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(`GET ${client.path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\n\r\n`),
    )
    socket.once('error', reject)
    socket.on('data', (bytes) => {
      read(client, bytes.toString('latin1'))
      if (client.isOpen) return
      client.isOpen = true
      resolve(socket)
    })
    socket.on('close', () => {
      if (client.isOpen) client.rest += 'closed'
    })
  })
}

function read(client: Client, text: string): void {
  const now = Date.now()
  const frames = (client.rest + text).split('\n\n')
  client.rest = frames.pop() ?? ''
  for (const frame of frames) {
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
  for (const [i, { wants, numbers: own, rest }] of clients.entries()) {
    const wanted = sent.flatMap(({ zone, session }, number) =>
      (wants.zone ?? zone) === zone && (wants.session ?? session) === session ? [number] : [],
    )
    const seen = [...own].sort((a, b) => a - b)
    if (seen.join() !== wanted.join() || !isInOrder(own, sent) || rest.includes('closed'))
      wrong.push(`client ${i} wanted ${wanted.length} and has ${seen.length}, ${rest.slice(-200)}`)
  }
  const latencies = numbers.map((number, i) => (times[i] as number) - (sent[number] as Sent).committedAt)
  return { wrong, frames: numbers.length, latencies: latencies.sort((a, b) => a - b) }
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
  else if ('count' in order) process.send?.({ received: numbers.length })
  else process.send?.(judge(order.judge))
})
