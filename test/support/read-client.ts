import { Agent, get as httpGet } from 'node:http'
import type { EventView } from '../../src/contract/api.ts'

/** One of many clients of the read side: it keeps its connections, and what it saw. */
export interface ReadClient {
  get(path: string): Promise<ReadAnswer>
}

export interface ReadAnswer {
  status: number
  /** Milliseconds until the whole answer was there. */
  took: number
  cacheStatus: string
  link: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it as they like
  body: any
}

/** Connections for so many requests at once. */
export function createReadClient(url: string, sockets: number): ReadClient & Disposable {
  const agent = new Agent({ keepAlive: true, maxSockets: sockets, scheduling: 'fifo' })
  const get = (path: string) =>
    new Promise<ReadAnswer>((resolve, reject) => {
      const asked = performance.now()
      const request = httpGet(url + path, { agent }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          const { 'cache-status': cacheStatus, link = '', 'content-type': type = '' } = response.headers
          resolve({
            ...{ status: response.statusCode ?? 0, took: performance.now() - asked },
            ...{ cacheStatus: String(cacheStatus ?? ''), link: String(link) },
            body: text !== '' && type.includes('json') ? JSON.parse(text) : text,
          })
        })
      })
      request.on('error', reject)
    })
  return { get, [Symbol.dispose]: () => agent.destroy() }
}

/** What one client has seen of each event: it must never see anything older. */
export class Memory {
  readonly #seen = new Map<string, { event: EventView | 'gone'; where: string }>()
  readonly #wrong: string[]

  /** @param wrong takes what was seen and should not have been. */
  constructor(wrong: string[]) {
    this.#wrong = wrong
  }

  complain(about: string): void {
    this.#wrong.push(about)
  }

  see(event: EventView, where: string): void {
    const before = this.#seen.get(event._id)
    if (typeof before?.event === 'object') {
      const [was, is] = [placeOf(before.event), placeOf(event)]
      if (is < was) this.#wrong.push(`${where}: ${event._id} went back from ${was} to ${is}; seen in ${before.where}`)
    }
    this.#seen.set(event._id, { event, where })
  }

  /** The answer was 410. */
  seeGone(id: string, where: string): void {
    this.#seen.set(id, { event: 'gone', where })
  }

  /** An answer that should have this event lacks it. */
  miss(id: string, where: string): void {
    const seen = this.#seen.get(id)
    if (seen !== undefined) this.#wrong.push(`${where}: ${id} is not there; seen in ${seen.where}`)
  }
}

/** Sorts as the order of documents does: `src/contract/order.ts`; of one document the later one was written later. */
function placeOf({ cache, updatedAt }: EventView): string {
  const { observedAt, status, source, lastSuccess } = cache
  const offset = String(source.offset).padStart(19, '0')
  return [
    observedAt,
    status ?? '',
    source.topic,
    source.partition,
    offset,
    updatedAt,
    lastSuccess?.observedAt ?? '',
  ].join('\t')
}
