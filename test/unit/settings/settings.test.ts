import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { NAMES, VARIABLES } from '../../../src/settings/variables.ts'
import { effectiveSettings, readSettings, SettingsError } from '../../../src/settings.ts'

const LEAST = { KAFKA_BROKERS: 'kafka-1:9092', MONGODB_URI: 'mongodb://mongo:27017' }
const directory = mkdtempSync(join(tmpdir(), 'settings-'))
afterAll(() => rmSync(directory, { recursive: true }))

/** The problems of an environment by name; empty when there are none. */
function problemsOf(env: Record<string, string>): Record<string, string> {
  try {
    readSettings({ ...LEAST, ...env })
    return {}
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    return Object.fromEntries(error.problems.map(({ name, problem }) => [name, problem]))
  }
}

describe('settings', () => {
  test('have the documented defaults', () => {
    expect(readSettings(LEAST)).toMatchObject({
      kafka: {
        brokers: ['kafka-1:9092'],
        clientId: 'pm-parking-events',
        groupId: 'pm-parking-events',
        ssl: false,
        sasl: null,
      },
      topics: {
        events: ['parkmobile.events'],
        responses: ['parkmobile.responses'],
        observations: 'parkmobile.observations',
        status: 'parkmobile.status-updates',
        deadLetters: 'parkmobile.dead-letters',
        create: true,
      },
      mongodb: { uri: 'mongodb://mongo:27017', database: 'dataset', collection: 'pm_parking_events' },
      registry: null,
      stages: { ingest: true, status: true },
      retentionMs: 90 * 86_400_000,
      maxClockSkewMs: 300_000,
      chunkRecords: 2000,
      stateDir: null,
      http: { host: '127.0.0.1', port: 9464 },
      serve: {
        host: '127.0.0.1',
        port: 8080,
        cacheBytes: 64 * 1024 * 1024,
        requestsPerSecond: 600,
        trustedProxies: [],
      },
      access: { keysFile: null, jwt: null },
      primary: null,
      logLevel: 'info',
      cards: { tokenKey: null, exemptPaths: [] },
    })
  })

  test('are read from lists, numbers and words', () => {
    const settings = readSettings({
      KAFKA_BROKERS: 'kafka-1:9092, [::1]:9093,10.0.0.1:9094',
      MONGODB_URI: 'mongodb://u:p%40ss@a:27017,b/admin?replicaSet=rs&w=majority',
      EVENTS_TOPICS: 'a,b',
      STAGES: 'status',
      RETENTION_DAYS: '0.5',
      LOG_LEVEL: 'DEBUG',
      CARD_EXEMPT_PATHS: 'response.reference,session_data.barcode',
    })
    expect(settings.kafka.brokers).toEqual(['kafka-1:9092', '[::1]:9093', '10.0.0.1:9094'])
    expect(settings.topics.events).toEqual(['a', 'b'])
    expect(settings.stages).toEqual({ ingest: false, status: true })
    expect(settings.retentionMs).toBe(43_200_000)
    expect(settings.logLevel).toBe('debug')
    expect(settings.cards.exemptPaths).toEqual(['response.reference', 'session_data.barcode'])
  })

  test('that are blank count as not set', () => {
    expect(readSettings({ ...LEAST, HTTP_PORT: '', SCHEMA_REGISTRY_URL: '  ' })).toMatchObject({
      http: { port: 9464 },
      registry: null,
    })
  })

  test('need no MongoDB where the command does not', () => {
    expect(readSettings({ KAFKA_BROKERS: 'k:9092' }, { needs: ['kafka'] }).mongodb.uri).toBe('')
    expect(() => readSettings({ KAFKA_BROKERS: 'k:9092' })).toThrow('MONGODB_URI is not set')
  })

  test('give TLS and SASL to Kafka', () => {
    const { kafka } = readSettings({
      ...LEAST,
      KAFKA_SSL: 'true',
      KAFKA_SSL_CA: '-----BEGIN CERTIFICATE-----\\nabc\\n-----END CERTIFICATE-----',
      KAFKA_SASL_MECHANISM: 'scram-sha-512',
      KAFKA_SASL_USERNAME: 'parking',
      KAFKA_SASL_PASSWORD: ' blanks count ',
    })
    expect(kafka.ssl).toEqual({ ca: '-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----' })
    expect(kafka.sasl).toEqual({ mechanism: 'scram-sha-512', username: 'parking', password: ' blanks count ' })
  })
})

describe('secrets in files', () => {
  test('are read without the line break at their end', () => {
    const file = join(directory, 'uri')
    writeFileSync(file, 'mongodb://a:b@mongo:27017\n')
    expect(readSettings({ KAFKA_BROKERS: 'k:9092', MONGODB_URI_FILE: file }).mongodb.uri).toBe(
      'mongodb://a:b@mongo:27017',
    )
  })

  test('that cannot be read, are empty, or are given twice are problems', () => {
    const empty = join(directory, 'empty')
    writeFileSync(empty, '\n')
    const problems = problemsOf({
      CARD_TOKEN_KEY_FILE: join(directory, 'none'),
      SCHEMA_REGISTRY_PASSWORD_FILE: empty,
      MONGODB_URI_FILE: empty,
    })
    expect(problems.CARD_TOKEN_KEY_FILE).toMatch('cannot be read (ENOENT)')
    expect(problems.SCHEMA_REGISTRY_PASSWORD).toBe('is empty')
    expect(problems.MONGODB_URI).toMatch('MONGODB_URI_FILE are both set')
  })
})

describe('a bad setting', () => {
  test('is told with its name, what is wrong, and an example; all at once', () => {
    const env = { HTTP_PORT: 'http', CREATE_TOPICS: 'maybe', CHUNK_RECORDS: '0', KAFKA_BROKERS: 'kafka' }
    let message = ''
    try {
      readSettings(env)
    } catch (error) {
      message = (error as Error).message
    }
    expect(message).toBe(
      [
        '5 settings are wrong:',
        '  KAFKA_BROKERS has "kafka", but each broker must be host:port. Example: KAFKA_BROKERS=kafka-1:9092,kafka-2:9092',
        '  CREATE_TOPICS is "maybe", but must be one of true, false. Example: CREATE_TOPICS=false',
        '  CHUNK_RECORDS is "0", but must be a whole number from 1 to 10000. Example: CHUNK_RECORDS=2000',
        '  HTTP_PORT is "http", but must be a whole number from 0 to 65535. Example: HTTP_PORT=9464',
        '  MONGODB_URI is not set. Example: MONGODB_URI=mongodb://mongo:27017',
      ].join('\n'),
    )
  })

  test.each([
    ['KAFKA_BROKERS', 'PLAINTEXT://kafka:9092'],
    ['KAFKA_BROKERS', 'kafka:0'],
    ['KAFKA_BROKERS', 'kafka:99999'],
    ['KAFKA_BROKERS', 'a:1,,b:2'],
    ['KAFKA_BROKERS', 'a:1,a:1'],
    ['KAFKA_GROUP_ID', 'two words'],
    ['KAFKA_SASL_MECHANISM', 'gssapi'],
    ['EVENTS_TOPICS', 'park mobile'],
    ['STATUS_TOPIC', '..'],
    ['STATUS_TOPIC', 'x'.repeat(250)],
    ['SCHEMA_REGISTRY_URL', 'registry:8081'],
    ['SCHEMA_REGISTRY_URL', 'http://user:secret@registry:8081'],
    ['MONGODB_URI', 'mongo:27017'],
    ['MONGODB_URI', 'mongodb://'],
    ['MONGODB_URI', 'mongodb://user:p@ss/word@host'],
    ['MONGODB_URI', 'mongodb://host:port'],
    ['MONGODB_URI', 'mongodb+srv://host:27017'],
    ['MONGODB_DATABASE', 'a.b'],
    ['MONGODB_COLLECTION', 'system.users'],
    ['RETENTION_DAYS', '-1'],
    ['RETENTION_DAYS', '1e3'],
    ['MAX_CLOCK_SKEW_SECONDS', 'five'],
    ['STAGES', 'ingest,publish'],
    ['CHUNK_RECORDS', '10001'],
    ['CHUNK_RECORDS', '1.5'],
    ['HTTP_HOST', 'http://localhost'],
    ['DEFAULT_TIME_ZONE', 'Mars/Olympus'],
    ['MAX_DEPTH', '91'],
    ['ENCRYPT_KEY', 'no key'],
    ['ENCRYPT_KEY', 'a:c2hvcnQ='],
    ['ENCRYPT_PATHS', 'card'],
    ['ENCRYPT_PATHS', 'response.zone_id'],
    ['CARD_TOKEN_KEY', ' \n '],
    ['CARD_TOKEN_KEY', 'a key with a blank behind '],
    ['DEFAULT_TIME_ZONE', 'BST'],
    ['HTTP_PORT', '65536'],
    ['LOG_LEVEL', 'loud'],
    ['CARD_EXEMPT_PATHS', 'a..b'],
    ['PRIMARY_MYSQL_URI', 'postgres://db'],
    ['JWT_JWKS_URL', 'file:///keys'],
    ['SERVE_CACHE_MB', '0'],
    ['SERVE_CACHE_MB', '0.5'],
    ['SERVE_RATE_LIMIT', '-1'],
    ['SERVE_TRUSTED_PROXIES', 'proxy.example.com'],
    ['SERVE_TRUSTED_PROXIES', '10.0.0.0/33'],
    ['SERVE_TRUSTED_PROXIES', '0.0.0.0/0'],
    ['SERVE_TRUSTED_PROXIES', '10.0.0.0/8/8'],
    ['SERVE_TRUSTED_PROXIES', '::1/129'],
  ])('%s=%s is one', (name, value) => {
    expect(Object.keys(problemsOf({ [name]: value }))).toEqual([name])
  })

  test('never shows a secret', () => {
    const secret = 'hunter2-hunter2'
    const env = { MONGODB_URI: `mongodb:/u:${secret}@h`, KAFKA_SSL_KEY: secret, PRIMARY_MYSQL_URI: `x://u:${secret}@h` }
    expect(JSON.stringify(problemsOf(env))).not.toContain(secret)
    expect(JSON.stringify(effectiveSettings({ ...LEAST, ...env }))).not.toContain(secret)
  })
})

describe('topics', () => {
  test('may not be input of both kinds', () => {
    expect(problemsOf({ EVENTS_TOPICS: 'a,b', RESPONSES_TOPICS: 'b' })).toEqual({
      RESPONSES_TOPICS: 'names the topic b, which EVENTS_TOPICS has already',
    })
  })

  test('of ours may not be an input, nor two of them one', () => {
    expect(problemsOf({ EVENTS_TOPICS: 'a', OBSERVATIONS_TOPIC: 'a' })).toHaveProperty('OBSERVATIONS_TOPIC')
    expect(problemsOf({ STATUS_TOPIC: 'parkmobile.responses' })).toHaveProperty('STATUS_TOPIC')
    expect(problemsOf({ STATUS_TOPIC: 's', DEAD_LETTER_TOPIC: 's' })).toHaveProperty('DEAD_LETTER_TOPIC')
  })
})

describe('settings that belong together', () => {
  const pem = '-----BEGIN CERTIFICATE-----'
  test.each([
    [{ KAFKA_SSL_CA: pem }, 'KAFKA_SSL'],
    [{ KAFKA_SSL: 'true', KAFKA_SSL_CERT: pem }, 'KAFKA_SSL_KEY'],
    [{ KAFKA_SSL: 'true', KAFKA_SSL_KEY: pem }, 'KAFKA_SSL_CERT'],
    [{ KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'u' }, 'KAFKA_SASL_PASSWORD'],
    [{ KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_PASSWORD: 'p' }, 'KAFKA_SASL_USERNAME'],
    [{ KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_PASSWORD: 'p' }, 'KAFKA_SASL_MECHANISM'],
    [{ SCHEMA_REGISTRY_URL: 'http://r:1', SCHEMA_REGISTRY_USERNAME: 'u' }, 'SCHEMA_REGISTRY_PASSWORD'],
    [{ SCHEMA_REGISTRY_USERNAME: 'u', SCHEMA_REGISTRY_PASSWORD: 'p' }, 'SCHEMA_REGISTRY_URL'],
  ])('%j lacks %s', (env, missing) => {
    expect(Object.keys(problemsOf(env as Record<string, string>))).toEqual([missing])
  })
})

describe('who may read', () => {
  const JWT = { JWT_ISSUER: 'https://login/', JWT_AUDIENCE: 'parking', JWT_JWKS_URL: 'https://login/jwks' }
  const SERVE = { ...LEAST, SERVE_HOST: '0.0.0.0' }
  const needs = ['kafka', 'mongodb', 'access'] as const

  test('is read with the settings of serve', () => {
    const settings = readSettings(
      {
        ...SERVE,
        ...JWT,
        AUTH_KEYS_FILE: '/etc/keys.json',
        PRIMARY_MYSQL_URI: 'mysql://u:p@h/parking',
        SERVE_CACHE_MB: '2',
        SERVE_RATE_LIMIT: '0',
        SERVE_TRUSTED_PROXIES: '10.0.0.0/8, ::1',
      },
      { needs },
    )
    expect(settings).toMatchObject({
      serve: { host: '0.0.0.0', cacheBytes: 2_097_152, requestsPerSecond: 0, trustedProxies: ['10.0.0.0/8', '::1'] },
      access: {
        keysFile: '/etc/keys.json',
        jwt: { issuer: 'https://login/', audience: 'parking', jwksUrl: 'https://login/jwks' },
      },
      primary: { uri: 'mysql://u:p@h/parking' },
    })
  })

  test.each(['JWT_ISSUER', 'JWT_AUDIENCE', 'JWT_JWKS_URL'] as const)('is not told without %s', (name) => {
    expect(Object.keys(problemsOf({ ...JWT, [name]: '' }))).toEqual([name])
    const others = Object.keys(JWT).filter((other) => other !== name)
    expect(Object.keys(problemsOf({ [name]: JWT[name] }))).toEqual(others)
  })

  test.each([
    ['https://login.example.com/jwks', []],
    ['http://localhost:8080/jwks', []],
    ['http://127.1.2.3/jwks', []],
    ['http://[::1]:8080/jwks', []],
    ['http://login.example.com/jwks', ['JWT_JWKS_URL']],
    ['http://localhost.example.com/jwks', ['JWT_JWKS_URL']],
    ['http://127.0.0.1.example.com/jwks', ['JWT_JWKS_URL']],
    ['http://10.0.0.1/jwks', ['JWT_JWKS_URL']],
  ])('by keys from %s has the problems %j', (url, problems) => {
    expect(Object.keys(problemsOf({ ...JWT, JWT_JWKS_URL: url }))).toEqual(problems)
  })

  test.each(['127.0.0.1', '127.9.9.9', '::1', '0:0:0:0:0:0:0:1', 'localhost', 'LOCALHOST'])(
    'need not be told where serve listens on %s',
    (host) => {
      expect(() => readSettings({ ...LEAST, SERVE_HOST: host }, { needs })).not.toThrow()
    },
  )

  test.each(['0.0.0.0', '::', '10.0.0.1', '128.0.0.1', 'example.com', '127.0.0.1.example.com', '127.1'])(
    'must be told where serve listens on %s',
    (host) => {
      const read = () => readSettings({ ...LEAST, SERVE_HOST: host }, { needs })
      expect(read).toThrow(`SERVE_HOST is ${host}, which other machines may reach, but nothing says who may read`)
      expect(read).toThrow('set AUTH_KEYS_FILE, or JWT_ISSUER')
    },
  )

  test('is enough by keys, and by JWTs', () => {
    expect(() => readSettings({ ...SERVE, AUTH_KEYS_FILE: '/keys' }, { needs })).not.toThrow()
    expect(() => readSettings({ ...SERVE, ...JWT }, { needs })).not.toThrow()
  })

  test('concerns no other command, and config only where it is asked to', () => {
    expect(problemsOf(SERVE)).toEqual({})
    expect(effectiveSettings(SERVE).problems).toEqual([])
    expect(effectiveSettings(SERVE, { needs }).problems.map(({ name }) => name)).toEqual(['SERVE_HOST'])
  })
})

describe('warnings', () => {
  const warningsOf = (env: Record<string, string>) => readSettings({ ...LEAST, ...env }).warnings

  test('tell of a password that crosses a network in the clear, and of none on this machine', () => {
    const sasl = { KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_PASSWORD: 'secret' }
    const registry = { SCHEMA_REGISTRY_USERNAME: 'u', SCHEMA_REGISTRY_PASSWORD: 'secret' }
    const headers = { OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20secret' }
    const at = (broker: string, host: string) => ({
      KAFKA_BROKERS: broker,
      SCHEMA_REGISTRY_URL: `http://${host}:8081`,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://${host}:4318`,
    })
    const [near, far] = [at('127.0.0.1:9092', 'localhost'), at('kafka:9092', 'elsewhere')]
    const given = { ...sasl, ...registry, ...headers, CARD_TOKEN_KEY: 'k'.repeat(16) }
    expect(warningsOf({ ...given, ...near })).toEqual([])
    expect(warningsOf({ ...given, ...far })).toEqual([
      expect.stringMatching(/^KAFKA_SASL_MECHANISM is plain without KAFKA_SSL: /),
      expect.stringMatching(/^SCHEMA_REGISTRY_URL is an http:\/\/ address: /),
      expect.stringMatching(/^OTEL_EXPORTER_OTLP_ENDPOINT is an http:\/\/ address: /),
    ])
    const safe = {
      ...{ KAFKA_SSL: 'true', SCHEMA_REGISTRY_URL: 'https://registry:8081' },
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector:4318',
    }
    expect(warningsOf({ ...given, ...far, ...safe })).toEqual([])
  })

  test('tell of a name that is nearly a setting', () => {
    expect(warningsOf({ KAFKA_BROKER: 'x:1', CARD_TOKEN_KEY: 'k'.repeat(16) })).toEqual([
      'KAFKA_BROKER is not a setting; KAFKA_BROKERS may be meant',
    ])
  })

  test('leave other programs alone', () => {
    const env = {
      HTTP_PROXY: 'x',
      PATH: '/bin',
      MONGODB_PORT: 'tcp://1',
      KAFKA_HOME: '/k',
      CARD_TOKEN_KEY: 'k'.repeat(16),
    }
    expect(warningsOf(env)).toEqual([])
  })

  test('tell of no token key, and of a short one without showing it', () => {
    expect(warningsOf({})).toEqual([expect.stringContaining('CARD_TOKEN_KEY is not set')])
    expect(warningsOf({ CARD_TOKEN_KEY: 'shorty' })).toEqual([expect.not.stringContaining('shorty')])
  })
})

describe('effective settings', () => {
  const shownOf = (env: Record<string, string>, name: string) =>
    effectiveSettings({ ...LEAST, ...env }).settings.find((setting) => setting.name === name)

  test('say where each came from', () => {
    expect(shownOf({}, 'HTTP_PORT')).toEqual({ name: 'HTTP_PORT', value: '9464', origin: 'default' })
    expect(shownOf({ HTTP_PORT: '1' }, 'HTTP_PORT')).toEqual({ name: 'HTTP_PORT', value: '1', origin: 'environment' })
    expect(shownOf({}, 'STATE_DIR')).toEqual({ name: 'STATE_DIR', value: null, origin: 'unset' })
  })

  test.each([
    [
      'MONGODB_URI',
      'mongodb://u:secret@h/?authMechanismProperties=AWS_SESSION_TOKEN:secret&a=b',
      'mongodb://***@h/?authMechanismProperties=***&a=b',
    ],
    ['MONGODB_URI', 'mongodb://u:se@cr/et@h/', '***'],
    ['MONGODB_URI', 'mongodb://u:secret', '***'],
    ['PRIMARY_MYSQL_URI', 'mysql://u:secret@h/db', 'mysql://***@h/db'],
    ['SCHEMA_REGISTRY_URL', 'http://u:secret@r:8081', '***'],
    ['KAFKA_SSL_KEY', '-----BEGIN PRIVATE KEY-----secret', '***'],
    ['KAFKA_SSL_CA', '-----BEGIN CERTIFICATE-----secret', '(PEM)'],
    ['KAFKA_SASL_PASSWORD', 'secret', '***'],
    ['CARD_TOKEN_KEY', 'secret', '***'],
  ])('show %s=%s as %s', (name, value, shown) => {
    expect(shownOf({ [name]: value }, name)?.value).toBe(shown)
  })

  test('list every setting, whether it is right or wrong', () => {
    const { settings, problems } = effectiveSettings({ HTTP_PORT: 'x' })
    expect(settings.map(({ name }) => name)).toEqual(NAMES)
    expect(problems.map(({ name }) => name)).toEqual(['HTTP_PORT', 'KAFKA_BROKERS', 'MONGODB_URI'])
  })
})

test('every example and every default is a right value', () => {
  for (const name of NAMES) {
    const { format, fallback, example, shown } = VARIABLES[name]
    if (fallback !== null) expect([name, format(fallback)]).toEqual([name, { value: expect.anything() }])
    if (shown !== 'hidden') expect([name, format(example)]).toEqual([name, { value: expect.anything() }])
  }
})
