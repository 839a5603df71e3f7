import type { Settings } from '../../settings.ts'
import { readToEnd } from '../../stream/read-to-end.ts'
import { print, table } from '../command-line.ts'
import { type Connection, patiently, rangesOf } from '../connect.ts'
import { type Choice, isChosen } from './choose.ts'
import { type Letter, listed, printable, sourceText, toLetter } from './letter.ts'
import { createNewest, type Summary } from './newest.ts'

export interface ListOptions {
  readonly limit: number
  readonly choice: Choice
  readonly json: boolean
}

/** Reads the topic once, to the end that it has now. */
async function read(connection: Connection, settings: Settings, options: ListOptions, signal: AbortSignal) {
  const { deadLetters: topic } = settings.topics
  await rangesOf(connection.admin, topic, 'DEAD_LETTER_TOPIC')
  const newest = createNewest(options.limit)
  await readToEnd({
    kafka: connection.kafka,
    topic,
    signal,
    onMessages: (partition, messages) => {
      for (const message of messages) {
        const letter = toLetter(partition, message)
        if (isChosen(letter, options.choice)) newest.add(letter)
      }
    },
  })
  return newest.summary()
}

const cells = (letter: Letter): string[] => [
  `${letter.partition}:${letter.offset}`,
  letter.time,
  letter.reason,
  sourceText(letter),
  letter.message,
]

function printPretty({ total, reasons, sources, days, letters }: Summary): void {
  if (letters.length > 0) {
    const rows = [['PARTITION:OFFSET', 'WRITTEN', 'REASON', 'SOURCE', 'MESSAGE'], ...letters.map(cells)]
    for (const row of table(rows.map((row) => row.map((cell) => printable(cell).replaceAll('\n', ' '))))) print(row)
    print('')
  }
  print(`${total} dead letter${total === 1 ? '' : 's'}${total > 0 ? `: ${listed(reasons)}` : ''}`)
  if (total === 0) return
  print(`from ${listed(sources)}`)
  print(`on ${listed(days)}`)
}

/** `dead-letters list`: the newest, and how many there are by reason. */
export async function list(
  connection: Connection,
  settings: Settings,
  options: ListOptions,
  signal: AbortSignal,
): Promise<number> {
  const summary = await patiently(signal, () => read(connection, settings, options, signal))
  if (options.json) print(JSON.stringify(summary, null, 2))
  else printPretty(summary)
  return 0
}
