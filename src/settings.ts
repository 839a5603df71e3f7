import type { ConnectionOptions } from 'node:tls'
import type { SASLOptions } from 'kafkajs'
import { type Environment, type Origin, type Problem, readEnvironment } from './settings/environment.ts'
import { shownText } from './settings/redact.ts'
import { checkRules, type Need } from './settings/rules.ts'
import { NAMES, type Values } from './settings/variables.ts'
import { warnings } from './settings/warnings.ts'

/** The effective settings of a run; `readSettings` makes them from environment variables, the only reader of those. */
export interface Settings {
  kafka: {
    brokers: string[]
    clientId: string
    /** Prefix of the consumer groups `<groupId>-ingest` and `<groupId>-status`. */
    groupId: string
    ssl: false | ConnectionOptions
    sasl: SASLOptions | null
  }
  topics: {
    events: string[]
    responses: string[]
    observations: string
    status: string
    deadLetters: string
    /** Make what is missing at start. */
    create: boolean
  }
  /** `uri` is empty where the command does not need MongoDB and none is set. */
  mongodb: { uri: string; database: string; collection: string }
  registry: { url: string; username: string | null; password: string | null } | null
  stages: { ingest: boolean; status: boolean }
  retentionMs: number
  maxClockSkewMs: number
  /** IANA name of the zone of times for which nobody names one; null: UTC. */
  timeZone: string | null
  /** Of an input record: bytes of its value, levels, keys of an object, items of an array. */
  limits: { bytes: number; depth: number; keys: number; items: number }
  /** Most records that one write covers. */
  chunkRecords: number
  stateDir: string | null
  http: { host: string; port: number }
  serve: {
    host: string
    port: number
    /** Memory for answers that are kept. */
    cacheBytes: number
    /** Of one client; 0: any number. */
    requestsPerSecond: number
    /** Addresses and networks. */
    trustedProxies: string[]
  }
  /** Who may read. Neither of them: everybody on this machine. */
  access: { keysFile: string | null; jwt: { issuer: string; audience: string; jwksUrl: string } | null }
  /** Asked for what MongoDB does not have; null: nobody is. */
  primary: { uri: string } | null
  logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'
  cards: {
    /** The newest key; null: card numbers are masked. */
    tokenKey: string | null
    /** Keys of before, for who looks a card up; the newest first. */
    olderTokenKeys: string[]
    exemptPaths: string[]
  }
  /** What is stored encrypted, and the keys, the newest first. */
  encryption: { paths: string[]; keys: { id: string; key: Buffer }[] }
  /** Where traces go; null: there are none. `share` of what nobody before has decided about. */
  traces: { endpoint: string; headers: Record<string, string>; serviceName: string; share: number } | null
  /** Allowed, but probably not wanted: to be logged at start, one line each. */
  warnings: string[]
}

/** Thrown by `readSettings`: every bad setting at once. The message is fit to be shown as it is. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    const lines = problems.map((p) => `  ${p.name} ${p.problem}. Example: ${p.example}`)
    super(`${problems.length === 1 ? 'One setting is' : `${problems.length} settings are`} wrong:\n${lines.join('\n')}`)
    this.problems = problems
  }
}

/** The environment of this process: the one place where it is read. Spread it to override a variable. */
export const environment = (): Environment => process.env

function kafkaOf(values: Values): Settings['kafka'] {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = values
  const tls = { ca: values.KAFKA_SSL_CA, cert: values.KAFKA_SSL_CERT, key: values.KAFKA_SSL_KEY }
  return {
    brokers: values.KAFKA_BROKERS ?? [],
    clientId: values.KAFKA_CLIENT_ID,
    groupId: values.KAFKA_GROUP_ID,
    ssl: values.KAFKA_SSL ? Object.fromEntries(Object.entries(tls).filter(([, pem]) => pem !== null)) : false,
    sasl:
      mechanism === null ? null : ({ mechanism, username: username ?? '', password: password ?? '' } as SASLOptions),
  }
}

function cardsOf({ CARD_TOKEN_KEY, CARD_EXEMPT_PATHS }: Values): Settings['cards'] {
  const [tokenKey = null, ...olderTokenKeys] = CARD_TOKEN_KEY ?? []
  return { tokenKey, olderTokenKeys, exemptPaths: CARD_EXEMPT_PATHS ?? [] }
}

const serveOf = (values: Values): Settings['serve'] => ({
  host: values.SERVE_HOST,
  port: values.SERVE_PORT,
  cacheBytes: values.SERVE_CACHE_MB * 1_048_576,
  requestsPerSecond: values.SERVE_RATE_LIMIT,
  trustedProxies: values.SERVE_TRUSTED_PROXIES ?? [],
})

/** The rules have seen to it that of the three JWT settings all are set or none. */
function accessOf(values: Values): Settings['access'] {
  const { JWT_ISSUER: issuer, JWT_AUDIENCE: audience, JWT_JWKS_URL: jwksUrl } = values
  const jwt = issuer === null || audience === null || jwksUrl === null ? null : { issuer, audience, jwksUrl }
  return { keysFile: values.AUTH_KEYS_FILE, jwt }
}

function tracesOf(values: Values): Settings['traces'] {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_HEADERS: headers } = values
  if (endpoint === null) return null
  return {
    endpoint,
    headers: headers ?? {},
    serviceName: values.OTEL_SERVICE_NAME,
    share: values.OTEL_TRACES_SAMPLER_ARG,
  }
}

function settingsOf(values: Values, env: Environment): Settings {
  const { SCHEMA_REGISTRY_URL: url, SCHEMA_REGISTRY_USERNAME: username, SCHEMA_REGISTRY_PASSWORD: password } = values
  return {
    kafka: kafkaOf(values),
    topics: {
      events: values.EVENTS_TOPICS,
      responses: values.RESPONSES_TOPICS,
      observations: values.OBSERVATIONS_TOPIC,
      status: values.STATUS_TOPIC,
      deadLetters: values.DEAD_LETTER_TOPIC,
      create: values.CREATE_TOPICS,
    },
    mongodb: {
      uri: values.MONGODB_URI ?? '',
      database: values.MONGODB_DATABASE,
      collection: values.MONGODB_COLLECTION,
    },
    registry: url === null ? null : { url, username, password },
    stages: { ingest: values.STAGES.includes('ingest'), status: values.STAGES.includes('status') },
    retentionMs: values.RETENTION_DAYS * 86_400_000,
    maxClockSkewMs: values.MAX_CLOCK_SKEW_SECONDS * 1000,
    timeZone: values.DEFAULT_TIME_ZONE,
    limits: {
      ...{ bytes: values.MAX_RECORD_BYTES, depth: values.MAX_DEPTH },
      ...{ keys: values.MAX_KEYS, items: values.MAX_ITEMS },
    },
    chunkRecords: values.CHUNK_RECORDS,
    stateDir: values.STATE_DIR,
    http: { host: values.HTTP_HOST, port: values.HTTP_PORT },
    serve: serveOf(values),
    access: accessOf(values),
    primary: values.PRIMARY_MYSQL_URI === null ? null : { uri: values.PRIMARY_MYSQL_URI },
    logLevel: values.LOG_LEVEL,
    cards: cardsOf(values),
    encryption: { paths: values.ENCRYPT_PATHS ?? [], keys: values.ENCRYPT_KEY ?? [] },
    traces: tracesOf(values),
    warnings: warnings(env, values),
  }
}

/**
 * Reads and validates every variable. `needs` says what the command cannot do without; the default is what `process` needs.
 * @throws SettingsError with all problems at once.
 */
export function readSettings(env: Environment = environment(), { needs = NEEDED_BY_PROCESS } = {}): Settings {
  const { values, problems } = readEnvironment(env)
  const all = [...problems, ...checkRules(values, needs)]
  if (all.length > 0) throw new SettingsError(all)
  return settingsOf(values as Values, env)
}

const NEEDED_BY_PROCESS: readonly Need[] = ['kafka', 'mongodb']

/** A setting as an operator may see it: secrets redacted. */
export interface EffectiveSetting {
  readonly name: string
  /** Null when it is not set, or its file cannot be read. */
  readonly value: string | null
  readonly origin: Origin
}

/** Every setting in order, right or wrong, and what is wrong; never throws. */
export function effectiveSettings(
  env: Environment = environment(),
  { needs = NEEDED_BY_PROCESS } = {},
): { settings: EffectiveSetting[]; problems: readonly Problem[]; warnings: string[] } {
  const { values, found, problems } = readEnvironment(env)
  const settings = NAMES.map((name) => {
    const at = found.get(name)
    return { name, value: shownText(name, at), origin: at?.origin ?? ('unset' as const) }
  })
  const all = [...problems, ...checkRules(values, needs)]
  return { settings, problems: all, warnings: all.length > 0 ? [] : warnings(env, values as Values) }
}
