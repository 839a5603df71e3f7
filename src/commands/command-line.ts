/** What every command shares: its arguments, its help, how its errors are told, and how a signal ends it. */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { SettingsError } from '../settings.ts'
import { denial } from '../stream/denied.ts'

/** A wrong argument: told with a hint to `--help`, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Something that the person at the command line can mend: told as it is, without a stack, exit code 1. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

type Options = NonNullable<ParseArgsConfig['options']>

const HELP = { help: { type: 'boolean', short: 'h' } } as const

/**
 * The options and operands of a command; `--help` and `-h` are always among them.
 * @throws UsageError naming the option that is not known, lacks its value, or the operand that is too much.
 */
export function readArguments<const O extends Options>(argv: string[], options: O, mostOperands = 0) {
  try {
    const read = parseArgs({ args: argv, options: { ...options, ...HELP }, allowPositionals: true, strict: true })
    const surplus = read.positionals[mostOperands]
    if (surplus !== undefined) throw new UsageError(`unexpected argument '${surplus}'`)
    return read
  } catch (error) {
    if (error instanceof UsageError) throw error
    const [sentence = ''] = (error as Error).message.split(/\. To specify|\. Did you forget|\n/)
    throw new UsageError(sentence.replace(/^Unknown option/, 'unknown option'))
  }
}

/** The value of an option that must be a whole number. Throws UsageError. */
export function wholeNumber(option: string, text: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const n = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (n >= least && n <= most) return n
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`
  throw new UsageError(`${option} is '${text}', but must be a whole number ${range}`)
}

/** Writes to standard output, for good: a line more. */
export const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

/** Writes to standard error what is not the command's output. */
export const tell = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

/** The lines of a table: columns as wide as their widest cell; the last one runs free. */
export function table(rows: string[][]): string[] {
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? []
  return rows.map((row) => row.map((cell, i) => (i < row.length - 1 ? cell.padEnd(widths[i] ?? 0) : cell)).join('  '))
}

/** Prints the help of a command; its exit code. */
export function printHelp(help: string): number {
  print(help.trim())
  return 0
}

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const

/**
 * Aborts at the first SIGINT or SIGTERM, or when nobody reads standard output any more, so that the command can close
 * what it opened. `code` is the exit code of a command whose work the signal cut short: 130 or 143. A second signal
 * ends the process at once with it.
 */
export function untilStopped(): { signal: AbortSignal; code(): number } & Disposable {
  const stop = new AbortController()
  let code = 0
  const listeners = (Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]).map((name) => {
    const onSignal = () => {
      if (stop.signal.aborted) process.exit(SIGNALS[name])
      code = SIGNALS[name]
      stop.abort(new Error(`stopped by ${name}`))
    }
    process.on(name, onSignal)
    return [name, onSignal] as const
  })
  const onOutputError = (error: NodeJS.ErrnoException) => stop.abort(error)
  process.stdout.on('error', onOutputError)
  return {
    signal: stop.signal,
    code: () => code,
    [Symbol.dispose]() {
      for (const [name, onSignal] of listeners) process.off(name, onSignal)
      process.stdout.off('error', onOutputError)
    },
  }
}

/** Tells an error that ended a command; the exit code. Only what nobody foresaw comes with its stack. */
export function tellError(command: string, error: unknown): number {
  const name = `pm-parking-events ${command}`.trim()
  if (error instanceof UsageError) {
    tell(`${name}: ${error.message}\nTry: ${name} --help`)
    return 2
  }
  if (error instanceof SettingsError || error instanceof CommandError) {
    tell(`${name}: ${error.message}`)
    return 1
  }
  const why = denial(error)
  if (why !== null) {
    tell(`${name}: ${why}`)
    return 1
  }
  const foreseen = error instanceof Error && (error.name.startsWith('KafkaJS') || error.name === 'TopicsError')
  tell(`${name}: ${foreseen || !(error instanceof Error) ? String(error) : error.stack}`)
  return 1
}

/** Runs a command and tells its error; the exit code. A reader that went away early is no error. */
export async function runCommand(command: string, run: () => Promise<number>): Promise<number> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') process.exitCode = 1
  })
  try {
    return await run()
  } catch (error) {
    return tellError(command, error)
  }
}
