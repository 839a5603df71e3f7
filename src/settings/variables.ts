import type { Format } from './formats.ts'
import * as format from './formats.ts'

/**
 * Every setting there is, in the order that people read them: `readSettings`, `config`, the errors and the table of the
 * reference all come from this list.
 */
export interface Variable<T> {
  readonly meaning: string
  readonly example: string
  /** Text that stands where the variable is not set; null: no default. */
  readonly fallback: string | null
  readonly format: Format<T>
  /** `hidden` is never shown; of a `uri` the credentials are not. Both, and PEM texts, may come from `<NAME>_FILE`. */
  readonly shown: 'plain' | 'hidden' | 'uri'
  readonly fromFile: boolean
}

type Shown = Partial<Pick<Variable<unknown>, 'shown' | 'fromFile'>>

const HIDDEN: Shown = { shown: 'hidden', fromFile: true }
const URI: Shown = { shown: 'uri', fromFile: true }
const FROM_FILE: Shown = { fromFile: true }

/** A setting with a default: always has a value. */
function given<T>(fallback: string, format: Format<T>, meaning: string, example = fallback): Variable<T> {
  return { meaning, example, fallback, format, shown: 'plain', fromFile: false }
}

/** A setting that may be absent. */
function maybe<T>(example: string, format: Format<T>, meaning: string, shown: Shown = {}): Variable<T | null> {
  return { meaning, example, fallback: null, format, shown: 'plain', fromFile: false, ...shown }
}

const topics = format.listOf(format.topic)
const port = format.number(0, 65535, 'whole')
const level = format.oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent')
const mechanism = format.oneOf('plain', 'scram-sha-256', 'scram-sha-512')
const stages = format.listOf(format.oneOf('ingest', 'status'))

export const VARIABLES = {
  KAFKA_BROKERS: maybe('kafka-1:9092,kafka-2:9092', format.listOf(format.broker), 'Brokers to start from. Required.'),
  KAFKA_CLIENT_ID: given('pm-parking-events', format.identifier, 'Name of this program in broker logs and quotas.'),
  KAFKA_GROUP_ID: given(
    'pm-parking-events',
    format.identifier,
    'Prefix of the consumer groups: `<it>-ingest` and `<it>-status`.',
  ),
  KAFKA_SSL: given('false', format.flag, 'Connect to the brokers with TLS.', 'true'),
  KAFKA_SSL_CA: maybe(
    '-----BEGIN CERTIFICATE-----…',
    format.pem,
    'PEM of the authority that signed the brokers.',
    FROM_FILE,
  ),
  KAFKA_SSL_CERT: maybe('-----BEGIN CERTIFICATE-----…', format.pem, 'PEM of the client certificate.', FROM_FILE),
  KAFKA_SSL_KEY: maybe('-----BEGIN PRIVATE KEY-----…', format.pem, 'PEM of the client key.', HIDDEN),
  KAFKA_SASL_MECHANISM: maybe('scram-sha-512', mechanism, '`plain`, `scram-sha-256` or `scram-sha-512`.'),
  KAFKA_SASL_USERNAME: maybe('parking', format.text, 'User name for SASL.', FROM_FILE),
  KAFKA_SASL_PASSWORD: maybe('…', format.text, 'Password for SASL.', HIDDEN),
  EVENTS_TOPICS: given('parkmobile.events', topics, 'Topics of event records, separated by commas.'),
  RESPONSES_TOPICS: given('parkmobile.responses', topics, 'Topics of response records, separated by commas.'),
  OBSERVATIONS_TOPIC: given('parkmobile.observations', format.topic, 'Internal topic between the two stages.'),
  STATUS_TOPIC: given('parkmobile.status-updates', format.topic, 'Topic of the status updates.'),
  DEAD_LETTER_TOPIC: given('parkmobile.dead-letters', format.topic, 'Topic of the records that cannot be taken.'),
  CREATE_TOPICS: given(
    'true',
    format.flag,
    'Make missing topics at start; with `false` a missing one is an error.',
    'false',
  ),
  SCHEMA_REGISTRY_URL: maybe(
    'http://registry:8081',
    format.httpUrl,
    'Confluent API of a schema registry. Without it: JSON only.',
    { shown: 'uri' },
  ),
  SCHEMA_REGISTRY_USERNAME: maybe('parking', format.text, 'User name for the registry.', FROM_FILE),
  SCHEMA_REGISTRY_PASSWORD: maybe('…', format.text, 'Password for the registry.', HIDDEN),
  MONGODB_URI: maybe('mongodb://mongo:27017', format.mongodbUri, 'Connection string. Required by `process`.', URI),
  MONGODB_DATABASE: given('dataset', format.databaseName, 'Database of the cache documents.'),
  MONGODB_COLLECTION: given('pm_parking_events', format.collectionName, 'Collection of the cache documents.'),
  RETENTION_DAYS: given(
    '90',
    format.number(0.001, 36500, 'fraction'),
    'Days, counted from the observed time, until a document expires.',
  ),
  MAX_CLOCK_SKEW_SECONDS: given(
    '300',
    format.number(0, 31_536_000, 'fraction'),
    "How far a record's own time may lie after its Kafka timestamp; later ones are capped.",
  ),
  DEFAULT_TIME_ZONE: maybe(
    'America/New_York',
    format.timeZone,
    'Zone of times for which the record names none. Unset: UTC, and a local time of unknown zone is not read.',
  ),
  MAX_RECORD_BYTES: given(
    '16777216',
    format.number(1_000, 67_108_864, 'whole'),
    'Largest value of an input record; a larger one is a dead letter. MongoDB stores no document over 16 MiB.',
  ),
  MAX_DEPTH: given('90', format.number(2, 90, 'whole'), 'Most levels of objects and arrays in a record.'),
  MAX_KEYS: given('100000', format.number(10, 10_000_000, 'whole'), 'Most keys of one object in a record.'),
  MAX_ITEMS: given('100000', format.number(1, 10_000_000, 'whole'), 'Most items of one array in a record.'),
  STAGES: given('ingest,status', stages, 'Which stages `process` runs.', 'ingest'),
  CHUNK_RECORDS: given(
    '2000',
    format.number(1, 10_000, 'whole'),
    'Most records that one write covers; a transaction covers about as many observations.',
  ),
  STATE_DIR: maybe(
    '/var/lib/pm-parking-events',
    format.text,
    'Directory for the heads of sessions, so that a restart reads little and memory stays small. Unset: in memory.',
  ),
  HTTP_HOST: given('127.0.0.1', format.host, 'Where `/metrics`, `/healthz` and `/readyz` listen.', '0.0.0.0'),
  HTTP_PORT: given('9464', port, 'Their port; 0 takes a free one.'),
  SERVE_HOST: given(
    '127.0.0.1',
    format.host,
    'Where `serve` listens. Without AUTH_KEYS_FILE and JWT_ISSUER only a loopback address is allowed.',
    '0.0.0.0',
  ),
  SERVE_PORT: given('8080', port, 'Its port; 0 takes a free one.'),
  SERVE_CACHE_MB: given('64', format.number(1, 65_536, 'whole'), 'Memory for answers that `serve` keeps, MiB.'),
  SERVE_RATE_LIMIT: given(
    '600',
    format.number(0, 10_000_000, 'whole'),
    'Requests a second that one client may make; 0: any number.',
  ),
  SERVE_TRUSTED_PROXIES: maybe(
    '10.0.0.0/8,127.0.0.1',
    format.listOf(format.network),
    'Proxies before `serve` whose `X-Forwarded-For` tells the address of a client.',
  ),
  LOG_LEVEL: given('info', level, '`trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`.', 'debug'),
  CARD_TOKEN_KEY: maybe(
    'at least 16 random characters',
    format.secrets,
    'Key of the card tokens; after a change of keys all of them, one a line, the newest first: it makes the tokens. Without one card numbers are masked, to first six and last four.',
    HIDDEN,
  ),
  CARD_EXEMPT_PATHS: maybe(
    'response.reference,session_data.barcode',
    format.listOf(format.path),
    'Paths in a record whose digits are never a card number.',
  ),
  ENCRYPT_PATHS: maybe(
    'response.session_data.license_plate,payload.driver',
    format.listOf(format.encryptablePath),
    'Paths in a document whose values are stored encrypted, with ENCRYPT_KEY.',
  ),
  ENCRYPT_KEY: maybe(
    '2026a:32 random bytes in base64',
    format.encryptionKeys,
    'Their key (AES-256), with an id before it; after a change of keys all of them, one a line, the newest first.',
    HIDDEN,
  ),
  PRIMARY_MYSQL_URI: maybe(
    'mysql://reader@mysql:3306/parking',
    format.mysqlUri,
    'Primary store, asked for what MongoDB does not have. Unset: no fallback.',
    URI,
  ),
  AUTH_KEYS_FILE: maybe(
    '/etc/pm-parking-events/keys.json',
    format.text,
    'JSON file of the API keys that `serve` takes, as SHA-256, with their scopes; read again when it changes.',
  ),
  JWT_ISSUER: maybe('https://login.example.com/', format.text, 'Issuer (`iss`) of the JWTs that `serve` takes.'),
  JWT_AUDIENCE: maybe('parking', format.text, 'Audience (`aud`) that they must be made for.'),
  JWT_JWKS_URL: maybe(
    'https://login.example.com/jwks.json',
    format.httpUrl,
    'Where their issuer publishes its keys; `https`, except on loopback.',
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: maybe(
    'http://collector:4318',
    format.httpUrl,
    'Where traces go, by OTLP over HTTP, to `v1/traces` below it. Unset: no traces.',
  ),
  OTEL_EXPORTER_OTLP_HEADERS: maybe(
    'authorization=Bearer%20…',
    format.httpHeaders,
    'Headers for it, `name=value` with commas between, values percent-encoded.',
    HIDDEN,
  ),
  OTEL_SERVICE_NAME: given('pm-parking-events', format.identifier, 'Name of this program in traces.'),
  OTEL_TRACES_SAMPLER_ARG: given(
    '0.1',
    format.number(0, 1, 'fraction'),
    'Share of the chunks and requests that are traced where no trace led to them; where one that is recorded did, all are.',
  ),
} satisfies Record<string, Variable<unknown>>

export type Name = keyof typeof VARIABLES
export type Values = { [N in Name]: (typeof VARIABLES)[N] extends Variable<infer T> ? T : never }

export const NAMES = Object.keys(VARIABLES) as Name[]
