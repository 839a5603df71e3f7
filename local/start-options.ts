import { parseArgs } from 'node:util'

export interface StartOptions {
  help: boolean
  registry: boolean
  /** Simulated records per second; 0 for none. */
  rate: number
}

export const HELP = `Usage: npm start [-- options]

Starts everything on this machine: Kafka and MongoDB (from the environment, else Docker, else as local processes that
are downloaded on the first run), the processor, and gentle simulated traffic; then shows what happens until Ctrl-C,
which stops all that it started.

  --rate R       simulated records per second (50; 0: no traffic)
  --registry     also a schema registry: half of the traffic in Avro, status updates in Avro
  -h, --help     this text

Services of your own: set KAFKA_BROKERS, MONGODB_URI and, with --registry, SCHEMA_REGISTRY_URL. All other settings of the
program are passed on to it.

Example:
  npm start -- --rate 200
`

/** Throws an Error for the person who typed. */
export function parseStartOptions(args: string[]): StartOptions {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      registry: { type: 'boolean', default: false },
      rate: { type: 'string', default: '50' },
    },
  })
  const rate = Number(values.rate)
  if (!(rate >= 0 && rate <= 100_000))
    throw new Error(`--rate ${values.rate}: give records per second, for example 200`)
  return { help: values.help, registry: values.registry, rate }
}
