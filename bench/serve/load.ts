/** Makes requests from a process of its own: so many connections, each waiting for its answer. Prints one line of JSON. */
import autocannon from 'autocannon'
import { zipf } from './zipf.ts'

export interface LoadOptions {
  url: string
  /** Keys are numbers below this. */
  keys: number
  /** Exponent of the Zipf distribution; 0: uniform. */
  skew: number
  /** `{}` stands for the key. */
  path: string
  connections: number
  seconds: number
}

export interface Load {
  requests: number
  seconds: number
  /** Milliseconds. */
  p50: number
  p99: number
  /** Answers that were not 200, and errors. */
  failures: number
}

const options = JSON.parse(process.argv[2] ?? '') as LoadOptions
const next = options.skew === 0 ? () => Math.floor(Math.random() * options.keys) : zipf(options.keys, options.skew)

const result = await autocannon({
  url: options.url,
  connections: options.connections,
  duration: options.seconds,
  requests: [
    {
      setupRequest: (request) => {
        request.path = options.path.replace('{}', String(next()))
        return request
      },
    },
  ],
})
const load: Load = {
  requests: result.requests.total,
  seconds: result.duration,
  p50: result.latency.p50,
  p99: result.latency.p99,
  failures: result.non2xx + result.errors + result.timeouts,
}
process.stdout.write(`${JSON.stringify(load)}\n`)
