import { parseArgs } from 'node:util'
import { build } from '../../local/build.ts'
import { startServices } from '../../local/services.ts'
import { startReadSide } from '../support/read-side.ts'
import { openStatusTopic } from '../support/status-topic.ts'
import { type Quantiles, runStreamLoad } from '../support/stream-load.ts'

/**
 * Many clients of `GET /v1/status-updates` on one process: each must get each update that it wants, once. Prints figures; exits
 * with 1 where one misses what is promised.
 *
 *     node test/acceptance/stream-clients.ts --clients 5000
 */
const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '5000' },
    /** The share of clients that want everything; of the others half want a zone, and half a session. */
    wide: { type: 'string', default: '0.2' },
    transactions: { type: 'string', default: '240' },
    updates: { type: 'string', default: '5' },
    /** Between two transactions. */
    'every-ms': { type: 'string', default: '100' },
  },
})
const clients = Number(values.clients)
const MOST_P99_MS = 2_000
const MOST_HEALTH_P99_MS = 250

const say = (line: string) => {
  process.stdout.write(`${line}\n`)
}
const ms = ({ p50, p99, most }: Quantiles) =>
  `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, most ${most.toFixed(0)} ms`

await build(say)
await using services = await startServices({ progress: say })
const STATUS_TOPIC = 'parkmobile.status-updates'
await using topic = await openStatusTopic(services.env.KAFKA_BROKERS, STATUS_TOPIC)
const settings = { ...services.env, STATUS_TOPIC }
let server = await startReadSide(settings)
const report = await runStreamLoad({
  ...{ topic, server, clients, wide: Number(values.wide), transactions: Number(values.transactions) },
  ...{ updatesOfEach: Number(values.updates), everyMs: Number(values['every-ms']) },
  restart: {
    end: () => server.kill9(),
    async start() {
      server = await startReadSide({ ...settings, SERVE_PORT: new URL(server.url).port })
      return server
    },
  },
})
const rows = {
  clients: `${clients}, of which ${Math.round(clients * Number(values.wide))} want everything`,
  updates: `${Number(values.transactions) * Number(values.updates)} in ${values.transactions} transactions`,
  'all connected within': `${(report.connectMs / 1_000).toFixed(1)} s, the slowest took ${report.slowestConnectMs.toFixed(0)} ms`,
  frames: `${report.frames}, clients with a wrong number or order of them: ${report.wrong.length}`,
  'from commit to receipt': ms(report.latency),
  'processor time a frame': `${report.cpuMicrosPerFrame.toFixed(1)} µs`,
  'memory a client': `${report.kibPerClient.toFixed(1)} KiB, of ${report.rssMib} MiB in all`,
  '/healthz meanwhile': ms(report.health),
  '/healthz while connecting': ms(report.healthWhileConnecting),
  'after a kill -9': `as many updates were missed; all have them ${((report.back?.allMs ?? 0) / 1_000).toFixed(1)} s after the start`,
  '/healthz while all come back': report.back ? ms(report.back.health) : '',
  'streams that came back': `${report.reconnects}`,
}
for (const [name, value] of Object.entries(rows)) say(`${name.padEnd(32)}${value}`)
for (const one of report.wrong.slice(0, 5)) say(one)
await server.stop()
const isGood =
  report.wrong.length === 0 &&
  report.reconnects === clients &&
  report.latency.p99 <= MOST_P99_MS &&
  report.health.p99 <= MOST_HEALTH_P99_MS
if (!isGood) process.exitCode = 1
