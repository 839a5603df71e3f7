import type { Running } from './program.ts'
import type { How, Services } from './services.ts'

const HOW: Record<How, string> = {
  environment: 'from the environment',
  docker: 'in Docker',
  native: 'a process of this machine',
}

/** Where a person finds what the processor does: addresses, topics, and what to paste into another terminal. */
export function whereToLook({ how, env }: Services, { url, pageUrl, logs }: Running): string[] {
  const setting = (name: string, fallback: string) => process.env[name] || fallback
  const collection = `${setting('MONGODB_DATABASE', 'dataset')}.${setting('MONGODB_COLLECTION', 'pm_parking_events')}`
  const inputs = [setting('EVENTS_TOPICS', 'parkmobile.events'), setting('RESPONSES_TOPICS', 'parkmobile.responses')]
  const outputs = [
    setting('STATUS_TOPIC', 'parkmobile.status-updates'),
    setting('DEAD_LETTER_TOPIC', 'parkmobile.dead-letters'),
  ]
  const registry = how.registry && `${env.SCHEMA_REGISTRY_URL}  (${HOW[how.registry]})`
  const mysql =
    how.mysql && `${shownUri(how.mysql, env.PRIMARY_MYSQL_URI ?? '')}  pm_parking_event  (${HOW[how.mysql]})`
  const rows: [string, string][] = [
    ['page', `${pageUrl}/   API: ${pageUrl}/docs`],
    ['metrics', `${url}/metrics   health: ${url}/healthz ${url}/readyz`],
    ['MongoDB', `${shownUri(how.mongodb, env.MONGODB_URI)}  ${collection}  (${HOW[how.mongodb]})`],
    ['Kafka', `${env.KAFKA_BROKERS}  (${HOW[how.kafka]})`],
    ...(registry ? [['registry', registry] as [string, string]] : []),
    ...(mysql ? [['MySQL', mysql] as [string, string]] : []),
    ['topics in', inputs.join(', ')],
    ['topics out', outputs.join(', ')],
    ['logs', logs.join(' ')],
  ]
  return [
    ...rows.map(([title, text]) => `  ${title.padEnd(12)}${text}`),
    ...['', '  In another terminal:', `  ${exports(how, env, pageUrl)}`, '  node dist/main.js tail'],
    ...['', '  Ctrl-C stops everything'],
  ]
}

/** What another terminal needs to join in. What the environment brought is there already, and may be secret. */
function exports(how: Services['how'], env: Services['env'], pageUrl: string): string {
  const settings = [
    [how.kafka, 'KAFKA_BROKERS', env.KAFKA_BROKERS],
    [how.mongodb, 'MONGODB_URI', env.MONGODB_URI],
    [how.registry, 'SCHEMA_REGISTRY_URL', env.SCHEMA_REGISTRY_URL],
  ] as const
  const ours = settings.filter(([from, , value]) => value !== undefined && from !== 'environment')
  return `export ${[...ours.map(([, name, value]) => `${name}='${value}'`), `SERVE='${pageUrl}'`].join(' ')}`
}

/** The password of our own reader may be seen; one that the environment brought is a secret. */
const shownUri = (how: How, uri: string): string =>
  how === 'environment' ? uri.replace(/^([a-z]+:\/\/).*@/s, '$1***@').replace(/\?.*/s, '') : uri
