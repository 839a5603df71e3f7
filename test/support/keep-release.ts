/**
 * `node test/support/keep-release.ts`: has the last release process a few records, and keeps the bytes that it wrote in
 * `test/unit/released/<version>.json`, which later versions must read. To be run once for each release, and `npm run format` after it.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BSON, MongoClient } from 'mongodb'
import { ROOT } from '../../local/build.ts'
import { run } from '../../local/native/install.ts'
import { startServices } from '../../local/services.ts'
import { readAll } from './copy-topic.ts'
import { openEventStream } from './event-stream.ts'
import { startProcessor } from './processor.ts'
import { watchProgress } from './progress.ts'
import { startReadSide } from './read-side.ts'
import { lastRelease } from './release.ts'
import { KEPT_SETTINGS, type Kept, type KeptRecord } from './released.ts'
import { newRunNames, type RunNames } from './run-names.ts'
import { makeTopics } from './run-topics.ts'
import { simulate } from './run-traffic.ts'

const RECORDS = 60

async function recordsOf(brokers: string, topic: string): Promise<KeptRecord[]> {
  const records: KeptRecord[] = []
  await readAll(brokers, topic, new Map(), (partition, messages) => {
    for (const { key, value, headers = {}, offset, timestamp } of messages) {
      const texts = Object.entries(headers).map(([name, header]) => [name, String(header)])
      const [keyText, valueText] = [key, value].map((part) => part?.toString('base64') ?? null) as [string, string]
      records.push({
        ...{ partition, offset, timestamp, key: keyText, value: valueText, headers: Object.fromEntries(texts) },
      })
    }
  })
  return records
}

function filesIn(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = names.map(({ parentPath, name }) => join(parentPath, name))
  return Object.fromEntries(paths.map((path) => [path.slice(directory.length + 1), readFileSync(path, 'base64')]))
}

async function documentsOf(uri: string, { MONGODB_DATABASE, MONGODB_COLLECTION }: RunNames): Promise<string[]> {
  const client = new MongoClient(uri, { raw: true })
  try {
    const documents = await client.db(MONGODB_DATABASE).collection(MONGODB_COLLECTION).find().toArray()
    return documents.map((bytes) => Buffer.from(bytes as unknown as Uint8Array).toString('base64'))
  } finally {
    await client.close()
  }
}

await using services = await startServices({ fresh: true, progress: console.log })
const release = await lastRelease()
const { program, version } = release
const names = newRunNames('kept')
const stateDir = join(services.directory, 'state')
const brokers = services.env.KAFKA_BROKERS
const env = { ...services.env, ...names, ...KEPT_SETTINGS }
await makeTopics(brokers, names, { inputPartitions: 1, lanes: 2 })
const more = { malformed: 0.2, tombstones: 0.03, late: 0.1 }
await simulate(services.env, names, { events: RECORDS, seed: version, encoding: 'json' }, more)
const processor = await startProcessor({ ...env, STATE_DIR: stateDir }, program)
await using progress = await watchProgress(brokers, names)
await progress.caughtUp(60_000)
const serve = await startReadSide(env, { program })
const documents = await documentsOf(services.env.MONGODB_URI, names)
const views: Kept['views'] = {}
for (const document of documents) {
  const { _id } = BSON.deserialize(Buffer.from(document, 'base64'))
  const { status, body } = await serve.get(`/v1/events/${encodeURIComponent(_id)}`)
  if (status === 200) views[_id] = body
}
const page = (await serve.get('/v1/sessions?limit=1')).headers.get('link')
const stream = await openEventStream(`${serve.url}/v1/status-updates?all=true`, { headers: { 'last-event-id': '0' } })
const position = await new Promise<string>((resolve) => {
  const look = setInterval(() => {
    const id = stream.lastId()
    if (id === undefined) return
    clearInterval(look)
    resolve(id)
  }, 50)
})
stream.cut()
const key = await run(program.node, [program.main, 'serve', '--make-key', 'kept', '--scopes', 'events:read'])
await serve.stop()
await processor.stop()
const kept: Kept = {
  version,
  statusTopic: names.STATUS_TOPIC,
  heads: filesIn(stateDir),
  observations: await recordsOf(brokers, names.OBSERVATIONS_TOPIC),
  updates: await recordsOf(brokers, names.STATUS_TOPIC),
  deadLetters: await recordsOf(brokers, names.DEAD_LETTER_TOPIC),
  ...{ documents, views, position },
  cursor: /before=([^&>]+)/.exec(page ?? '')?.[1] ?? '',
  entry: JSON.parse(key).entry,
}
mkdirSync(join(ROOT, 'test/unit/released'), { recursive: true })
writeFileSync(join(ROOT, `test/unit/released/${version}.json`), `${JSON.stringify(kept, null, 1)}\n`)
