import { setTimeout as delay } from 'node:timers/promises'
import { build } from './build.ts'
import { createScreen, oneLine, type Reading, table, takeReading } from './dashboard.ts'
import { type Running, runProgram } from './program.ts'
import { type Services, startServices } from './services.ts'
import { HELP, parseStartOptions, type StartOptions } from './start-options.ts'
import { whenToldToStop } from './when-told.ts'
import { whereToLook } from './where-to-look.ts'

const REFRESH_MS = 1_000
/** Rates are over this many readings, so that they do not flicker. */
const RATE_READINGS = 5

const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

const stopped = new AbortController()
const whenStopped = new Promise<never>((_, reject) => {
  stopped.signal.addEventListener('abort', () => reject(stopped.signal.reason))
})
whenStopped.catch(() => undefined)

/** Start what there is, show it, and stop it in reverse order. Returns the exit code. */
async function main(options: StartOptions): Promise<number> {
  whenToldToStop(() => stopped.abort())
  const began = Date.now()
  let services: Services | null = null
  let running: Running | null = null
  try {
    // What is only half started when the signal comes ends with this process.
    services = await orStopped(startServices({ registry: options.registry, mysql: true, progress: print }))
    await orStopped(build(print))
    running = await orStopped(runProgram(services, options, print))
    print(`Up in ${((Date.now() - began) / 1_000).toFixed(1)} s`)
    await show(services, running)
    return 0
  } catch (error) {
    if (stopped.signal.aborted) return 0
    print(`\n${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  } finally {
    await running?.stop(print)
    await services?.[Symbol.asyncDispose]()
    print('Everything that was started is stopped')
  }
}

const orStopped = <T>(work: Promise<T>): Promise<T> => Promise.race([work, whenStopped])

/** Shows what happens, once a second, until a signal; throws when a part ends by itself. */
async function show(services: Services, running: Running): Promise<void> {
  const where = whereToLook(services, running)
  const screen = process.stdout.isTTY ? createScreen(process.stdout) : null
  if (screen === null) for (const line of where) print(line)
  const readings: Reading[] = []
  for (;;) {
    await orStopped(running.assertAlive())
    const now = await takeReading(`${running.url}/metrics`).catch(() => null)
    const before = readings[0] ?? null
    if (screen === null) print(now === null ? 'the processor does not answer' : oneLine(now, before))
    else screen(['', ...(now === null ? ['  the processor does not answer'] : table(now, before)), '', ...where])
    if (now !== null) readings.push(now)
    if (readings.length > RATE_READINGS) readings.shift()
    await orStopped(delay(REFRESH_MS))
  }
}

let options: StartOptions
try {
  options = parseStartOptions(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${(error as Error).message}\nSee npm start -- --help\n`)
  process.exit(2)
}
if (options.help) process.stdout.write(HELP)
else process.exit(await main(options))
