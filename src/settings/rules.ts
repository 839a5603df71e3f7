import { type Problem, problemOf } from './environment.ts'
import { isLoopback } from './loopback.ts'
import { type Name, VARIABLES, type Values } from './variables.ts'

/** What a command cannot do without; `access`: it answers over HTTP, so somebody must say who may read. */
export type Need = 'kafka' | 'mongodb' | 'access'

function missing(values: Partial<Values>, needs: readonly Need[]): Problem[] {
  const problems: Problem[] = []
  if (needs.includes('kafka') && values.KAFKA_BROKERS === null) problems.push(problemOf('KAFKA_BROKERS', 'is not set'))
  if (needs.includes('mongodb') && values.MONGODB_URI === null) problems.push(problemOf('MONGODB_URI', 'is not set'))
  return problems
}

/** A record of an input topic has one meaning, and none of our own topics may feed itself or another. */
function topicClashes(values: Partial<Values>): Problem[] {
  const problems: Problem[] = []
  const used = new Map<string, Name>()
  const own: [Name, string | undefined][] = [
    ['OBSERVATIONS_TOPIC', values.OBSERVATIONS_TOPIC],
    ['STATUS_TOPIC', values.STATUS_TOPIC],
    ['DEAD_LETTER_TOPIC', values.DEAD_LETTER_TOPIC],
  ]
  const inputs: [Name, string | undefined][] = [
    ...(values.EVENTS_TOPICS ?? []).map((topic): [Name, string] => ['EVENTS_TOPICS', topic]),
    ...(values.RESPONSES_TOPICS ?? []).map((topic): [Name, string] => ['RESPONSES_TOPICS', topic]),
  ]
  for (const [name, topic] of [...inputs, ...own]) {
    if (topic === undefined) continue
    const first = used.get(topic)
    if (first !== undefined) problems.push(problemOf(name, `names the topic ${topic}, which ${first} has already`))
    used.set(topic, first ?? name)
  }
  return problems
}

/** `name` makes no sense unless `other` is set too. */
function together(values: Partial<Values>, name: Name, other: Name): Problem[] {
  const isSet = (n: Name): boolean => values[n] !== null && values[n] !== undefined
  return isSet(name) && values[other] === null ? [problemOf(other, `is not set, but ${name} is`)] : []
}

/** What is encrypted within what is encrypted could not be read. */
function overlaps({ ENCRYPT_PATHS: paths }: Partial<Values>): Problem[] {
  const inner = paths?.find((path) => paths.some((other) => path.startsWith(`${other}.`)))
  return inner === undefined ? [] : [problemOf('ENCRYPT_PATHS', `names ${inner}, which another of its paths covers`)]
}

function security(values: Partial<Values>): Problem[] {
  const problems = [
    ...together(values, 'KAFKA_SSL_CERT', 'KAFKA_SSL_KEY'),
    ...together(values, 'KAFKA_SSL_KEY', 'KAFKA_SSL_CERT'),
    ...together(values, 'KAFKA_SASL_MECHANISM', 'KAFKA_SASL_USERNAME'),
    ...together(values, 'KAFKA_SASL_MECHANISM', 'KAFKA_SASL_PASSWORD'),
    ...together(values, 'SCHEMA_REGISTRY_USERNAME', 'SCHEMA_REGISTRY_PASSWORD'),
    ...together(values, 'SCHEMA_REGISTRY_PASSWORD', 'SCHEMA_REGISTRY_USERNAME'),
    ...together(values, 'SCHEMA_REGISTRY_USERNAME', 'SCHEMA_REGISTRY_URL'),
    ...together(values, 'ENCRYPT_PATHS', 'ENCRYPT_KEY'),
    ...together(values, 'OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_EXPORTER_OTLP_ENDPOINT'),
  ]
  if (values.KAFKA_SASL_USERNAME || values.KAFKA_SASL_PASSWORD) {
    problems.push(
      ...(values.KAFKA_SASL_MECHANISM === null
        ? [problemOf('KAFKA_SASL_MECHANISM', 'is not set, but a SASL user name or password is')]
        : []),
    )
  }
  const pems = (['KAFKA_SSL_CA', 'KAFKA_SSL_CERT', 'KAFKA_SSL_KEY'] as const).filter((name) => values[name])
  if (values.KAFKA_SSL === false && pems.length > 0) {
    problems.push(problemOf('KAFKA_SSL', `is false, but ${pems.join(', ')} ${pems.length > 1 ? 'are' : 'is'} set`))
  }
  return problems
}

const JWT: readonly Name[] = ['JWT_ISSUER', 'JWT_AUDIENCE', 'JWT_JWKS_URL']

/** A JWT is only as good as the keys it is checked with, and these are only as good as the way they come. */
function tokens(values: Partial<Values>): Problem[] {
  const given = JWT.find((name) => values[name] !== null && values[name] !== undefined)
  const problems =
    given === undefined
      ? []
      : JWT.filter((name) => values[name] === null).map((name) => problemOf(name, `is not set, but ${given} is`))
  const url = values.JWT_JWKS_URL ? new URL(values.JWT_JWKS_URL) : null
  if (url?.protocol === 'http:' && !isLoopback(url.hostname)) {
    problems.push(problemOf('JWT_JWKS_URL', 'is an http:// address: whoever is on the way could put in other keys'))
  }
  return problems
}

/** Without credentials everybody may read everything: so nobody from elsewhere may come in. */
function exposure(values: Partial<Values>): Problem[] {
  const { SERVE_HOST: host } = values
  const isOpen = (['AUTH_KEYS_FILE', ...JWT] as const).every((name) => values[name] === null)
  if (!isOpen || host === undefined || isLoopback(host)) return []
  const problem = `is ${host}, which other machines may reach, but nothing says who may read: set AUTH_KEYS_FILE, or JWT_ISSUER, JWT_AUDIENCE and JWT_JWKS_URL, or listen on a loopback address`
  return [{ name: 'SERVE_HOST', problem, example: `AUTH_KEYS_FILE=${VARIABLES.AUTH_KEYS_FILE.example}` }]
}

/** What is wrong with the settings together; a setting that is wrong by itself is not judged again. */
export const checkRules = (values: Partial<Values>, needs: readonly Need[]): Problem[] => [
  ...missing(values, needs),
  ...topicClashes(values),
  ...security(values),
  ...overlaps(values),
  ...tokens(values),
  ...(needs.includes('access') ? exposure(values) : []),
]
