import { once } from 'node:events'
import { stringify } from 'lossless-json'
import type { Kind } from '../contract/document.ts'
import type { StatusUpdate } from '../contract/status-update.ts'
import { readSettings, type Settings } from '../settings.ts'
import { follow } from '../stream/follow.ts'
import { printHelp, readArguments, tell, UsageError, untilStopped } from './command-line.ts'
import { type Connection, connect, patiently, rangesOf } from './connect.ts'
import { createUpdateReader } from './read-update.ts'
import { type Choice, isWanted, mayBeWanted } from './tail/choose.ts'
import { line } from './tail/line.ts'

const KINDS: readonly Kind[] = ['error', 'payment', 'session', 'status']

export const help = `Usage: pm-parking-events tail [options]

Prints the status updates of STATUS_TOPIC, one a line, as they are committed; Ctrl-C ends it. Only changes are
printed: an update that confirms the status that was there already is left out.

Options:
  --from-beginning  start with the oldest update in the topic, not with the next one
  --all             also updates that confirm a status
  --session ID      only of this session; may be given again
  --zone ID         only of this zone; may be given again
  --kind KIND       only of this kind: ${KINDS.join(', ')}; may be given again
  --json            the whole update, one JSON object a line
  -h, --help        this text

Examples:
  KAFKA_BROKERS=localhost:9092 pm-parking-events tail --kind session
  KAFKA_BROKERS=localhost:9092 pm-parking-events tail --from-beginning --all --json | jq .session_id`

const OPTIONS = {
  'from-beginning': { type: 'boolean' },
  all: { type: 'boolean' },
  session: { type: 'string', multiple: true },
  zone: { type: 'string', multiple: true },
  kind: { type: 'string', multiple: true },
  json: { type: 'boolean' },
} as const

function kindOf(text: string): Kind {
  const kind = KINDS.find((k) => k === text)
  if (kind === undefined) throw new UsageError(`unknown kind '${text}'; there are ${KINDS.join(', ')}`)
  return kind
}

interface How {
  readonly choice: Choice
  readonly fromBeginning: boolean
  readonly show: (update: StatusUpdate) => string
}

function howOf(argv: string[]): How | 'help' {
  const { values } = readArguments(argv, OPTIONS)
  if (values.help) return 'help'
  const kinds = (values.kind ?? []).map(kindOf)
  return {
    choice: { all: values.all === true, sessions: values.session ?? [], zones: values.zone ?? [], kinds },
    fromBeginning: values['from-beginning'] === true,
    show: values.json ? (update) => stringify(update) ?? '' : line,
  }
}

/** Writes lines in one go, and waits where the reader is slower than we are. */
async function write(lines: string[], signal: AbortSignal): Promise<void> {
  if (lines.length === 0 || process.stdout.write(`${lines.join('\n')}\n`)) return
  await once(process.stdout, 'drain', { signal }).catch(() => {})
}

async function tail(connection: Connection, settings: Settings, how: How, signal: AbortSignal): Promise<void> {
  const topic = settings.topics.status
  const ranges = await patiently(signal, () => rangesOf(connection.admin, topic, 'STATUS_TOPIC'))
  const positions = new Map(ranges.map(({ partition, low, high }) => [partition, how.fromBeginning ? low : high]))
  const readUpdates = createUpdateReader(settings.registry, signal, ({ message }) =>
    tell(`Waiting for the schema registry at ${settings.registry?.url}: ${message}`),
  )
  tell(`Tailing ${topic} ${how.fromBeginning ? 'from its beginning' : 'from now on'} (${ranges.length} partitions)`)
  await follow({
    ...{ kafka: connection.kafka, topic, positions, signal },
    async take(partition, messages) {
      const candidates = messages.filter(({ value, headers }) => value !== null && mayBeWanted(headers, how.choice))
      const updates = await readUpdates(candidates.flatMap(({ value }) => value ?? []))
      const lines = updates.flatMap((update, i) => {
        if (!('unreadable' in update)) return isWanted(update, how.choice) ? [how.show(update)] : []
        tell(`${topic} ${partition}:${candidates[i]?.offset} is no status update: ${update.unreadable}`)
        return []
      })
      await write(lines, signal)
    },
    onFailure: seldom((error) => tell(`Kafka gives nothing for now, trying again: ${error.message}`)),
    onGap: (partition, position, from) =>
      tell(`${topic} ${partition}:${position} is not there any more, going on from ${from}`),
  })
}

const TELL_EVERY_MS = 60_000

/** At most once a minute. */
function seldom<T>(work: (subject: T) => void): (subject: T) => void {
  let last = Number.NEGATIVE_INFINITY
  return (subject) => {
    const now = performance.now()
    if (now - last < TELL_EVERY_MS) return
    last = now
    work(subject)
  }
}

/** Runs `tail` until it is stopped; 0. */
export async function run(argv: string[]): Promise<number> {
  const how = howOf(argv)
  if (how === 'help') return printHelp(help)
  const settings = readSettings(undefined, { needs: ['kafka'] })
  using stopped = untilStopped()
  try {
    await using connection = await connect(settings, stopped.signal)
    await tail(connection, settings, how, stopped.signal)
  } catch (error) {
    if (!stopped.signal.aborted) throw error
  }
  return 0
}
