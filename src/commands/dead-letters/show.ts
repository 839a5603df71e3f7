import type { KafkaMessage } from 'kafkajs'
import { DEAD_LETTER_HEADERS, isDeadLetterHeader } from '../../contract/dead-letter.ts'
import type { Settings } from '../../settings.ts'
import { readToEnd } from '../../stream/read-to-end.ts'
import { CommandError, print, UsageError } from '../command-line.ts'
import { type Connection, patiently, rangesOf } from '../connect.ts'
import { decodedOf } from './decoded.ts'
import { asText, headerText, printable, sourceText, toLetter } from './letter.ts'

export interface Position {
  readonly partition: number
  readonly offset: bigint
}

/** Reads `<partition>:<offset>`, as `list` prints it. Throws UsageError. */
export function parsePosition(text: string | undefined): Position {
  const parts = /^(\d{1,9}):(\d{1,19})$/.exec(text ?? '')
  if (!parts) throw new UsageError(`show needs <partition>:<offset>, such as 3:17${text ? `, not '${text}'` : ''}`)
  return { partition: Number(parts[1]), offset: BigInt(parts[2] ?? '') }
}

/** Fetches one record. Throws CommandError when the topic does not have it. */
async function fetchOne(connection: Connection, settings: Settings, at: Position, signal: AbortSignal) {
  const { deadLetters: topic } = settings.topics
  const ranges = await rangesOf(connection.admin, topic, 'DEAD_LETTER_TOPIC')
  const range = ranges.find(({ partition }) => partition === at.partition)
  if (!range) throw new CommandError(`${topic} has partitions 0 to ${ranges.length - 1}, and no ${at.partition}`)
  if (at.offset < range.low || at.offset >= range.high) {
    const there = range.low === range.high ? 'is empty' : `has offsets ${range.low} to ${range.high - 1n}`
    throw new CommandError(`${topic} does not have ${at.partition}:${at.offset}: the partition ${there}`)
  }
  const found = new AbortController()
  let letter: KafkaMessage | undefined
  await readToEnd({
    kafka: connection.kafka,
    topic,
    partitions: [at.partition],
    from: new Map([[at.partition, at.offset]]),
    signal: AbortSignal.any([signal, found.signal]),
    onMessages: (_, messages) => {
      letter ??= messages.find(({ offset }) => BigInt(offset) === at.offset)
      found.abort()
    },
  }).catch((error: unknown) => {
    if (!found.signal.aborted) throw error
  })
  if (!letter) throw new CommandError(`${topic} has no record at ${at.partition}:${at.offset}: it was never committed`)
  return letter
}

const HEX_BYTES = 1024

/** Sixteen bytes a line, as hex and as text; the first kibibyte, and how much more there is. */
export function hexDump(bytes: Buffer): string {
  const lines: string[] = []
  for (let at = 0; at < Math.min(bytes.length, HEX_BYTES); at += 16) {
    const row = bytes.subarray(at, at + 16)
    const hex = row.toString('hex').replaceAll(/../g, '$& ').padEnd(48)
    const ascii = row.toString('latin1').replaceAll(/[^\x20-\x7e]/g, '.')
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex} ${ascii}`)
  }
  if (bytes.length > HEX_BYTES) lines.push(`… and ${bytes.length - HEX_BYTES} bytes more (--json has them all)`)
  return lines.join('\n')
}

/** Bytes for a person: text where they are text, else a hex dump. */
function readable(bytes: Buffer | null, hex: boolean): string {
  if (bytes === null) return '(null)'
  if (hex) return hexDump(bytes)
  const text = asText(bytes)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a NUL tells that it is no text
  return text === null || /\x00/.test(text) ? hexDump(bytes) : printable(text)
}

function printPretty({ at, hex }: ShowOptions, message: KafkaMessage, decoded: string | null): void {
  const letter = toLetter(at.partition, message)
  const row = (name: string, text: string | null) => {
    if (text !== null) print(`${name.padEnd(10)} ${printable(text).replaceAll('\n', ' ')}`)
  }
  row('position', `${at.partition}:${at.offset}`)
  row('written', letter.time)
  row('reason', letter.reason)
  row('message', letter.message)
  row('source', sourceText(letter))
  row('timestamp', letter.source.timestamp)
  for (const [part, how] of Object.entries(letter.altered)) row(part, how)
  row('digest', headerText(message.headers, DEAD_LETTER_HEADERS.digest))
  row('replays', letter.replays > 0 ? String(letter.replays) : null)
  for (const name of Object.keys(message.headers ?? {}).filter((header) => !isDeadLetterHeader(header))) {
    row('header', `${name}: ${headerText(message.headers, name)}`)
  }
  print(`\nkey\n${readable(message.key, hex)}`)
  print(`\nvalue (${message.value?.length ?? 0} bytes)\n${readable(message.value, hex)}`)
  if (decoded !== null) print(`\ndecoded\n${printable(decoded)}`)
}

const machine = (bytes: Buffer | null) =>
  bytes === null ? null : { text: asText(bytes), base64: bytes.toString('base64') }

function printJson({ at }: ShowOptions, message: KafkaMessage, decoded: string | null): void {
  const headers = Object.entries(message.headers ?? {}).flatMap(([name, header]) =>
    [header].flat().map((value) => ({ name, ...machine(value == null ? null : Buffer.from(value)) })),
  )
  const letter = toLetter(at.partition, message)
  const bytes = { key: machine(message.key), value: machine(message.value) }
  print(JSON.stringify({ ...letter, headers, ...bytes, decoded }, null, 2))
}

export interface ShowOptions {
  readonly at: Position
  /** In hex, though it may be text. */
  readonly hex: boolean
  readonly json: boolean
}

/** `dead-letters show`: one dead letter, whole. */
export async function show(
  connection: Connection,
  settings: Settings,
  options: ShowOptions,
  signal: AbortSignal,
): Promise<number> {
  const message = await patiently(signal, () => fetchOne(connection, settings, options.at, signal))
  const decoded = await decodedOf(message.value, settings)
  const printIt = options.json ? printJson : printPretty
  printIt(options, message, decoded)
  return 0
}
