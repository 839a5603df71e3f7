/** HTTP as nobody's client library would send it. */
import { type IncomingHttpHeaders, request } from 'node:http'
import { connect } from 'node:net'

export interface RawAnswer {
  status: number
  headers: IncomingHttpHeaders
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it as they like
  body: any
}

export interface Asked {
  method?: string
  headers?: Record<string, string | string[]>
  body?: string
}

/** Asks for a path just as it is written: nothing in it is resolved, and the Host header may be any. */
export function ask(url: string, path: string, { method = 'GET', headers = {}, body }: Asked = {}): Promise<RawAnswer> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const asking = request({ hostname, port, path, method, headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      response.on('error', reject)
      response.on('end', () => {
        const isJson = text !== '' && /json/.test(response.headers['content-type'] ?? '')
        const { statusCode = 0, headers: own } = response
        resolve({ status: statusCode, headers: own, text, body: isJson ? JSON.parse(text) : text })
      })
    })
    asking.on('error', reject)
    asking.end(body)
  })
}

export interface Said {
  /** All that came back until the server ended the connection. */
  text: string
  /** Milliseconds until then. */
  took: number
}

/**
 * Writes the pieces to a connection, one a so many milliseconds, and reads until the other side ends it.
 * @throws when that does not come within the time
 */
export function say(url: string, pieces: readonly string[], { everyMs = 0, timeoutMs = 20_000 } = {}): Promise<Said> {
  const { hostname, port } = new URL(url)
  const began = performance.now()
  const socket = connect(Number(port), hostname)
  let text = ''
  let isOver = false
  socket.setEncoding('latin1').on('data', (piece: string) => {
    text += piece
  })
  socket.on('error', () => {}) // of what is written when the other side has ended; 'close' follows
  const writing = async () => {
    for (const piece of pieces) {
      if (isOver) return
      socket.write(piece)
      if (everyMs > 0) await new Promise((resolve) => setTimeout(resolve, everyMs))
    }
  }
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      isOver = true
      socket.destroy()
      reject(new Error(`The server did not end the connection; it said: ${text}`))
    }, timeoutMs)
    socket.on('close', () => {
      isOver = true
      clearTimeout(late)
      resolve({ text, took: performance.now() - began })
    })
    writing()
  })
}

/** The answer in what was said. */
export function answerIn({ text }: Said): RawAnswer {
  const [head = '', rest = ''] = text.split('\r\n\r\n')
  const [line = '', ...lines] = head.split('\r\n')
  const headers = Object.fromEntries(
    lines.map((one) => {
      const at = one.indexOf(':')
      return [one.slice(0, at).toLowerCase(), one.slice(at + 1).trim()]
    }),
  )
  return { status: Number(line.split(' ')[1]), headers, text: rest, body: rest === '' ? '' : JSON.parse(rest) }
}
