import type { LogEntry, logCreator } from 'kafkajs'
import { type DestinationStream, destination as fd, type Logger, pino } from 'pino'
import { scrub } from './scrub.ts'

/** Where a data-printing command logs, so that its own output stays clean. */
export const toStderr = (): DestinationStream => fd({ fd: 2, sync: true })

const SECRETS = [
  'password',
  'uri',
  'tokenKey',
  'olderTokenKeys',
  'encryption',
  'sasl',
  'ssl',
  'key',
  'value',
  'headers',
]

/**
 * A pino logger: one JSON line an event, ISO time, level by name. Fields that may hold a secret or a record's data are
 * not written, whoever logs them; card numbers and credentials inside any text are taken out of the finished line.
 * @param destination standard output when left out
 */
export function createLog(level: string, destination: DestinationStream = fd({ fd: 1, sync: true })): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`]), censor: '***' },
      hooks: { streamWrite: scrub },
    },
    destination,
  )
}

/** What kafkajs tells beside its message, as far as it can hold neither data nor secrets. */
const TOLD = ['groupId', 'memberId', 'broker', 'topic', 'partition', 'offset', 'retryCount', 'retryTime', 'clientId']

/** The text of kafkajs's `error` field: it is a string, an Error, or missing. */
const errorText = (error: unknown): string | undefined =>
  error === undefined ? undefined : error instanceof Error ? `${error.name}: ${error.message}` : String(error)

/** kafkajs's numbers for error and warning are 1 and 2; importing them would load it here, before what it needs. */
const LAST_WARNING = 2

/**
 * kafkajs retries most of what it calls an error, and what it gives up on reaches its caller, who logs it: so its errors
 * are warnings here. The rest is for `LOG_LEVEL=debug`.
 */
const levelOf = ({ level, log }: LogEntry): 'warn' | 'debug' =>
  level <= LAST_WARNING && !isRoutine(log) ? 'warn' : 'debug'

/** A rebalance or a coordinator that is still loading is everyday life in a group. */
const isRoutine = ({ message, error }: LogEntry['log']): boolean =>
  /rebalanc|re-joining|not aware of this member|coordinator is (loading|not available)|leadership election|^Restarting/i.test(
    `${message} ${errorText(error) ?? ''}`,
  )

const REPEAT_MS = 10_000
const MOST_REMEMBERED = 100

/** Says whether a line may go out: the same one only every ten seconds, with how many were held back. */
function createThrottle(now: () => number): (line: string) => { held: number } | null {
  const last = new Map<string, { at: number; held: number }>()
  return (line) => {
    const before = last.get(line)
    if (before && now() - before.at < REPEAT_MS) {
      before.held++
      return null
    }
    if (last.size >= MOST_REMEMBERED) last.clear()
    last.set(line, { at: now(), held: 0 })
    return { held: before?.held ?? 0 }
  }
}

/** Sends kafkajs's lines through `log`: levels mapped, repetitions held back, and nothing but the fields named above. */
export function kafkaLogCreator(log: Logger, now: () => number = Date.now): logCreator {
  const kafka = log.child({ from: 'kafkajs' })
  const mayPass = createThrottle(now)
  return () => (entry) => {
    if (entry.log.message.includes('switched default partitioner')) return
    const level = levelOf(entry)
    if (!kafka.isLevelEnabled(level)) return
    const error = errorText(entry.log.error)
    const pass = mayPass(`${entry.namespace} ${entry.log.message} ${error ?? ''}`)
    if (!pass) return
    const told = Object.fromEntries(TOLD.flatMap((name) => (name in entry.log ? [[name, entry.log[name]]] : [])))
    kafka[level](
      { ...told, ...(error !== undefined && { error }), ...(pass.held > 0 && { repeated: pass.held }) },
      `${entry.namespace}: ${entry.log.message}`,
    )
  }
}
