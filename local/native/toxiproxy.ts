import { join } from 'node:path'
import { freePorts } from '../ports.ts'
import { type Progress, step } from '../progress.ts'
import { installed, isInstalled, type Package, run } from './install.ts'
import { startService } from './process.ts'
import { GO, type Tool } from './tools.ts'

const VERSION = '2.5.0'

const PACKAGE: Package = {
  directory: `toxiproxy-${VERSION}`,
  what: `Building toxiproxy ${VERSION} with go install`,
  fill: async (directory) => {
    await run('env', [`GOBIN=${directory}`, 'go', 'install', `github.com/Shopify/toxiproxy/v2/cmd/server@v${VERSION}`])
  },
}

export const toxiproxyTools = async (): Promise<Tool[]> => ((await isInstalled(PACKAGE.directory)) ? [] : [GO])

/** Which way bytes go: to the service, or back to who called it. */
export type Direction = 'upstream' | 'downstream'

/** A TCP address that stands before a service. Whoever must feel a fault is given this address. */
export interface Link {
  readonly name: string
  /** `127.0.0.1:port`, the same for ever. */
  readonly address: string
  /** Closes all connections and refuses new ones. */
  cut(): Promise<void>
  /** Connections stay open, or open, and no byte passes. */
  hang(direction?: Direction): Promise<void>
  /** Every piece of data takes `ms` longer, give or take `jitterMs`. */
  slow(ms: number, jitterMs?: number, direction?: Direction): Promise<void>
  /** At most so many bytes a second, in 1,000. */
  throttle(kilobytesPerSecond: number, direction?: Direction): Promise<void>
  /** Closes each connection after so many bytes have passed on it from now on. */
  closeAfter(bytes: number, direction?: Direction): Promise<void>
  /** Undoes all of these; open connections live on where they can. */
  heal(): Promise<void>
}

export interface Toxiproxy {
  /** A new address on loopback that leads to `target`, `127.0.0.1:port`. */
  link(name: string, target: string): Promise<Link>
  discard(): Promise<void>
}

/** A proxy for TCP faults, as a process of its own on loopback. */
export async function startToxiproxy(directory: string, progress: Progress): Promise<Toxiproxy> {
  const home = await installed(PACKAGE, progress)
  const [port] = (await freePorts(1)) as [number]
  const url = `http://127.0.0.1:${port}`
  const service = await step(progress, 'Starting toxiproxy', () =>
    startService({
      name: 'toxiproxy',
      command: join(home, 'server'),
      args: ['-host', '127.0.0.1', '-port', String(port)],
      cwd: directory,
      env: { LOG_LEVEL: 'error' },
      log: join(directory, 'toxiproxy.log'),
      address: url,
      answers: async () => (await fetch(`${url}/version`)).ok,
    }),
  )
  const call: Call = async (method, path, body) => {
    const response = await fetch(`${url}${path}`, { method, ...(body !== undefined && { body: JSON.stringify(body) }) })
    const text = await response.text()
    if (!response.ok) throw new Error(`toxiproxy answers ${response.status} to ${method} ${path}: ${text}`)
    return text
  }
  return { link: (name, target) => createLink(call, name, target), discard: service.discard }
}

type Call = (method: string, path: string, body?: unknown) => Promise<string>

async function createLink(call: Call, name: string, target: string): Promise<Link> {
  const [port] = (await freePorts(1)) as [number]
  const address = `127.0.0.1:${port}`
  await call('POST', '/proxies', { name, listen: address, upstream: target, enabled: true })
  const enable = (enabled: boolean) => call('POST', `/proxies/${name}`, { enabled })
  const add = async (type: string, stream: Direction, attributes: Record<string, number>) => {
    await call('POST', `/proxies/${name}/toxics`, { name: `${type}-${stream}`, type, stream, attributes })
  }
  return {
    name,
    address,
    cut: async () => {
      await enable(false)
    },
    // A time-out of 0 never closes the connection.
    hang: (direction = 'downstream') => add('timeout', direction, { timeout: 0 }),
    slow: (ms, jitterMs = 0, direction = 'downstream') => add('latency', direction, { latency: ms, jitter: jitterMs }),
    throttle: (kilobytesPerSecond, direction = 'downstream') =>
      add('bandwidth', direction, { rate: kilobytesPerSecond }),
    closeAfter: (bytes, direction = 'downstream') => add('limit_data', direction, { bytes }),
    async heal() {
      const { toxics } = JSON.parse(await call('GET', `/proxies/${name}`)) as { toxics: { name: string }[] }
      for (const toxic of toxics) await call('DELETE', `/proxies/${name}/toxics/${toxic.name}`)
      await enable(true)
    },
  }
}
