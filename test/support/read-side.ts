import { launchService, type Program, type Service, untilReady } from './service.ts'

/** A running `serve`, as its clients and its operator see it. */
export interface ReadSide extends Service {
  /** The body of a JSON answer, with its status and headers. */
  get(path: string, headers?: Record<string, string>): Promise<Answer>
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>
}

export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it as they like
  body: any
}

/** Starts the built `serve`, or that of another program, and waits until it is ready, or else only until it listens. */
export async function startReadSide(
  env: Record<string, string>,
  { ready = true, program }: { ready?: boolean; program?: Program } = {},
): Promise<ReadSide> {
  const anyPort = { SERVE_PORT: '0', SERVE_RATE_LIMIT: '0' }
  const service = launchService('serve', { ...anyPort, ...env }, program)
  const asks: Pick<ReadSide, 'get' | 'post'> = {
    get: (path, headers = {}) => ask(service.url + path, { headers }),
    post: (path, body, headers = {}) =>
      ask(service.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
  }
  await untilReady(service, 'read side', async () => !ready || (await asks.get('/readyz')).status === 200)
  return Object.assign(service, asks)
}

async function ask(url: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(url, init)
  const text = await response.text()
  const isJson = /json/.test(response.headers.get('content-type') ?? '')
  return { status: response.status, headers: response.headers, body: isJson && text !== '' ? JSON.parse(text) : text }
}
