import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** How it answers requests for a schema: as the registry does, or with something of its own. */
export type Mood = 'honest' | 'silent' | { status: number; type: string; body: string }

/** Stands before a schema registry, over HTTP, and can spoil its answers. */
export interface RegistryProxy extends AsyncDisposable {
  readonly url: string
  mood: Mood
  /** Requests for a schema by its id, since the start. */
  readonly asked: ReadonlyMap<string, number>
}

export async function startRegistryProxy(registryUrl: string): Promise<RegistryProxy> {
  const registry = new URL(registryUrl)
  const asked = new Map<string, number>()
  const proxy = { mood: 'honest' as Mood }
  const server = createServer((request, response) => {
    const id = /\/schemas\/ids\/(\d+)/.exec(request.url ?? '')?.[1]
    if (id === undefined || proxy.mood === 'honest') {
      if (id !== undefined) asked.set(id, (asked.get(id) ?? 0) + 1)
      return void forward(registry, request, response).catch(() => response.destroy())
    }
    asked.set(id, (asked.get(id) ?? 0) + 1)
    if (proxy.mood === 'silent') return
    const { status, type, body } = proxy.mood
    response.writeHead(status, { 'content-type': type }).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return Object.assign(proxy, {
    asked,
    url: `http://127.0.0.1:${port}${registry.pathname}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  })
}

/** Asks the registry, and gives its answer. */
export async function forward(registry: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part)
  const { method = 'GET', url = '/', headers } = request
  const type = headers['content-type']
  const answer = await fetch(new URL(url, registry), {
    method,
    ...(type !== undefined && { headers: { 'content-type': type } }),
    ...(parts.length > 0 && { body: Buffer.concat(parts) }),
  })
  response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'application/json' })
  response.end(Buffer.from(await answer.arrayBuffer()))
}
