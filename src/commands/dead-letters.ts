import { readSettings, type Settings } from '../settings.ts'
import { printHelp, readArguments, UsageError, untilStopped, wholeNumber } from './command-line.ts'
import { type Connection, connect } from './connect.ts'
import { CHOICE_OPTIONS, parseChoice } from './dead-letters/choose.ts'
import { list } from './dead-letters/list.ts'
import { replay } from './dead-letters/replay.ts'
import { parsePosition, show } from './dead-letters/show.ts'

export const help = `Usage: pm-parking-events dead-letters list [choice] [--limit N] [--json]
       pm-parking-events dead-letters show <partition>:<offset> [--hex] [--json]
       pm-parking-events dead-letters replay [choice] [--max-replays N] [--execute] [--json]

Looks at DEAD_LETTER_TOPIC, where the records are that could not be taken.

  list     the newest dead letters, and how many there are by reason, source and day
  show     one of them: why, where it came from, its headers, key and value, decoded as far as that goes
  replay   sends records back to where they came from, once what was wrong with them, or with us, is mended; without
           --execute it only tells what it would send

Choice:
  --reason R       those with this reason, such as invalid_json
  --source TOPIC   those that came from this topic
  --since TIME     those written at or after this time, such as 2026-01-31T12:00:00Z, or an age, such as 24h
  --until TIME     those written before this time; replay: [now]

Options:
  --limit N        list this many [20]
  --hex            show key and value in hex, though they are text
  --max-replays N  not those that have been replayed so often [3]
  --execute        replay indeed
  --json           for machines: one JSON object; keys and values as text and base64
  -h, --help       this text

A record that ingest met twice, after a crash, is there twice, with the same source; replay sends it once. A replay that was
cut short tells the command that goes on where it was.

Examples:
  KAFKA_BROKERS=localhost:9092 pm-parking-events dead-letters list --reason invalid_json
  KAFKA_BROKERS=localhost:9092 pm-parking-events dead-letters show 3:17
  KAFKA_BROKERS=localhost:9092 pm-parking-events dead-letters replay --reason unknown_schema --since 24h --execute`

type Action = (connection: Connection, settings: Settings, signal: AbortSignal) => Promise<number>

const OPTIONS = {
  ...CHOICE_OPTIONS,
  limit: { type: 'string' },
  hex: { type: 'boolean' },
  'max-replays': { type: 'string' },
  execute: { type: 'boolean' },
  json: { type: 'boolean' },
} as const

/** The options that an action does not have. */
const FOREIGN = {
  list: ['hex', 'max-replays', 'execute'],
  show: [...Object.keys(CHOICE_OPTIONS), 'limit', 'max-replays', 'execute'],
  replay: ['limit', 'hex'],
} as const

function actionOf(argv: string[]): Action | 'help' {
  const { values, positionals } = readArguments(argv, OPTIONS, 2)
  const [verb, operand] = positionals
  if (values.help) return 'help'
  if (verb === undefined) throw new UsageError('list, show or replay? Say which')
  if (verb !== 'list' && verb !== 'show' && verb !== 'replay')
    throw new UsageError(`unknown action '${verb}'; there are list, show and replay`)
  if (operand !== undefined && verb !== 'show') throw new UsageError(`unexpected argument '${operand}'`)
  const foreign = FOREIGN[verb].find((name) => name in values)
  if (foreign !== undefined) throw new UsageError(`${verb} has no option '--${foreign}'`)
  const json = values.json === true
  if (verb === 'show') {
    const options = { at: parsePosition(operand), hex: values.hex === true, json }
    return (connection, settings, signal) => show(connection, settings, options, signal)
  }
  const choice = parseChoice(values)
  if (verb === 'list') {
    const limit = wholeNumber('--limit', values.limit ?? '20', 1, 100_000)
    return (connection, settings, signal) => list(connection, settings, { limit, choice, json }, signal)
  }
  const mostReplays = wholeNumber('--max-replays', values['max-replays'] ?? '3', 1, 1_000)
  const options = {
    choice: { ...choice, until: choice.until ?? new Date().toISOString() },
    ...{ mostReplays, execute: values.execute === true, json },
  }
  return (connection, settings, signal) => replay(connection, settings, options, signal)
}

/** Runs `dead-letters`; 0, or 1 when the topic or the record is not there. */
export async function run(argv: string[]): Promise<number> {
  const action = actionOf(argv)
  if (action === 'help') return printHelp(help)
  const settings = readSettings(undefined, { needs: ['kafka'] })
  using stopped = untilStopped()
  try {
    await using connection = await connect(settings, stopped.signal)
    return await action(connection, settings, stopped.signal)
  } catch (error) {
    if (!stopped.signal.aborted) throw error
    return stopped.code()
  }
}
