import { readSettings, type Settings } from '../settings.ts'
import { printHelp, readArguments, UsageError, untilStopped, wholeNumber } from './command-line.ts'
import { type Connection, connect } from './connect.ts'
import { list } from './dead-letters/list.ts'
import { parsePosition, show } from './dead-letters/show.ts'

export const help = `Usage: pm-parking-events dead-letters list [--limit N] [--reason R] [--json]
       pm-parking-events dead-letters show <partition>:<offset> [--json]

Looks at DEAD_LETTER_TOPIC, where the records are that could not be taken. Changes nothing.

  list   the newest dead letters, and how many there are by reason
  show   one of them: why, where it came from, its headers, key and value

Options:
  --limit N    list this many [20]
  --reason R   only those with this reason, such as invalid_json
  --json       for machines: one JSON object; keys and values as text and base64
  -h, --help   this text

A record that ingest met twice, after a crash, is there twice, with the same source.

Examples:
  KAFKA_BROKERS=localhost:9092 pm-parking-events dead-letters list --reason invalid_json
  KAFKA_BROKERS=localhost:9092 pm-parking-events dead-letters show 3:17`

type Action = (connection: Connection, settings: Settings, signal: AbortSignal) => Promise<number>

const OPTIONS = { limit: { type: 'string' }, reason: { type: 'string' }, json: { type: 'boolean' } } as const

function actionOf(argv: string[]): Action | 'help' {
  const { values, positionals } = readArguments(argv, OPTIONS, 2)
  const [verb, operand] = positionals
  if (values.help) return 'help'
  const json = values.json === true
  switch (verb) {
    case 'list': {
      if (operand !== undefined) throw new UsageError(`unexpected argument '${operand}'`)
      const limit = wholeNumber('--limit', values.limit ?? '20', 1, 100_000)
      return (connection, settings, signal) =>
        list(connection, settings, { limit, reason: values.reason ?? null, json }, signal)
    }
    case 'show': {
      const at = parsePosition(operand)
      return (connection, settings, signal) => show(connection, settings, { at, json }, signal)
    }
    case 'replay':
      throw new UsageError('replay is not in this version; there are list and show')
    case undefined:
      throw new UsageError('list or show? Say which')
    default:
      throw new UsageError(`unknown action '${verb}'; there are list and show`)
  }
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
