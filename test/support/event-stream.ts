import { type ClientRequest, get, type IncomingMessage } from 'node:http'
import { until } from '../../local/until.ts'

/** One event, or an id alone, as a client of `text/event-stream` sees it. */
export interface StreamFrame {
  /** Null: it has none, and so no data either. */
  event: string | null
  data: string | null
  id: string | null
  /** Comments before it, without their colon. */
  comments: string[]
  /** When it was whole here, epoch ms. */
  at: number
}

/**
 * Reads frames from text that is cut anywhere. Strict: what the server never sends, though the standard allows it, is an error,
 * so that a frame which was torn, or ran into another, is not read as something else.
 */
export function createFrameReader(onFrame: (frame: StreamFrame) => void): (text: string) => void {
  let rest = ''
  return (text) => {
    const frames = (rest + text).split('\n\n')
    rest = frames.pop() ?? ''
    for (const frame of frames) onFrame(frameOf(frame))
  }
}

const LINE = /^(id|event|data|): (.+)$/u

function frameOf(text: string): StreamFrame {
  const frame: StreamFrame = { event: null, data: null, id: null, comments: [], at: Date.now() }
  for (const line of text.split('\n')) {
    const [, field, value = ''] = LINE.exec(line) ?? []
    if (field === undefined || line.includes('\r')) throw new Error(`not a line of a frame: ${line.slice(0, 200)}`)
    if (field === '') frame.comments.push(value)
    else if (frame[field as 'id'] !== null) throw new Error(`a frame has two lines of ${field}: ${text.slice(0, 500)}`)
    else frame[field as 'id'] = value
  }
  if ((frame.event === null) !== (frame.data === null)) throw new Error(`half an event: ${text.slice(0, 500)}`)
  if (frame.id !== null && !/^[0-9a-z]+(\.[0-9a-z]+)*$/.test(frame.id)) throw new Error(`not a position: ${frame.id}`)
  if (frame.data !== null) JSON.parse(frame.data)
  return frame
}

export interface EventStream {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly frames: StreamFrame[]
  /** The body of an answer that is no stream. */
  readonly body: string
  /** The last id that came; undefined: none yet. */
  lastId(): string | undefined
  /** Data of the events of this name so far. */
  data(event: string): unknown[]
  /** Waits until so many have come. @throws after the time */
  has(event: string, count: number, timeoutMs?: number): Promise<void>
  /** Stops reading, and goes on. */
  pause(): void
  resume(): void
  /** Cuts the connection. */
  cut(): void
  /** Resolves when the connection has ended, whoever ended it. */
  readonly ended: Promise<void>
}

/** What is wrong with a frame is thrown by the next call. */
export async function openEventStream(
  url: string,
  { headers = {}, onFrame }: { headers?: Record<string, string>; onFrame?: (frame: StreamFrame) => void } = {},
): Promise<EventStream> {
  const request = get(url, { headers: { accept: 'text/event-stream', ...headers }, agent: false })
  const response = await answerOf(request)
  const isStream = response.headers['content-type']?.startsWith('text/event-stream') ?? false
  const frames: StreamFrame[] = []
  let body = ''
  let failure: unknown
  let isCut = false
  const read = createFrameReader((frame) => {
    if (isCut) return // what lies in the same piece as the last frame that was wanted
    frames.push(frame)
    onFrame?.(frame)
  })
  response.setEncoding('utf8').on('data', (text: string) => {
    try {
      if (isStream) read(text)
      else body += text
    } catch (error) {
      failure ??= error
    }
  })
  const ended = new Promise<void>((resolve) => response.on('close', resolve))
  response.on('error', () => {}) // a server that was killed; 'close' follows
  const data = (event: string) => {
    if (failure !== undefined) throw failure
    return frames.filter((frame) => frame.event === event).map((frame) => JSON.parse(frame.data ?? ''))
  }
  if (!isStream) await ended
  return {
    ...{ status: response.statusCode ?? 0, headers: response.headers, frames, body, ended, data },
    lastId: () => frames.findLast(({ id }) => id !== null)?.id ?? undefined,
    has: async (event, count, timeoutMs = 20_000) => {
      const what = `${count} events "${event}" have come`
      await until(() => data(event).length >= count, { timeoutMs, what, everyMs: 10 })
    },
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    cut() {
      isCut = true
      request.destroy()
    },
  }
}

function answerOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve).once('error', reject)
    request.on('error', () => {}) // after the answer it is told by the response
  })
}
