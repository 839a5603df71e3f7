import { setTimeout as sleep } from 'node:timers/promises'
import { type EventStream, openEventStream } from './event-stream.ts'

/** A client that is cut off at random, and comes back with the last id that it saw, also while no server is there. */
export interface StreamReader {
  /** Data of all updates that it saw, as they came. */
  readonly seen: string[]
  /** Names of other events. */
  readonly events: string[]
  readonly connections: number
  /** Frames of a connection at most; infinite: it is not cut. */
  mostFrames: number
  stop(): Promise<void>
}

const PAUSE_MS = 50

/** @param url of the server that is there now */
export function startReader(url: () => string, query: string, mostFrames: number): StreamReader {
  let lastId: string | undefined
  let isStopped = false
  let stream: EventStream | null = null
  const reader = { seen: [] as string[], events: [] as string[], connections: 0, mostFrames }

  async function connect(): Promise<void> {
    let left = 1 + Math.floor(Math.random() * reader.mostFrames)
    let cut = () => {}
    const headers: Record<string, string> = lastId === undefined ? {} : { 'last-event-id': lastId }
    const opening = openEventStream(`${url()}/v1/status-updates?${query}`, {
      headers,
      onFrame({ event, data, id }) {
        lastId = id ?? lastId
        if (event === 'status') reader.seen.push(data ?? '')
        else if (event !== null) reader.events.push(event)
        if (--left <= 0) cut()
      },
    })
    stream = await opening
    cut = stream.cut
    if (left <= 0) cut()
    if (stream.status !== 200) return void (await sleep(PAUSE_MS)) // it is not ready yet
    reader.connections++
    await stream.ended
    stream.data('status') // throws what was wrong with a frame
  }

  const work = (async () => {
    while (!isStopped) {
      await connect().catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ECONNREFUSED' && error.code !== 'ECONNRESET') throw error
        await sleep(PAUSE_MS)
      })
    }
  })()
  work.catch(() => {})
  return Object.assign(reader, {
    async stop() {
      isStopped = true
      stream?.cut()
      await work
    },
  })
}
