import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { build, ROOT } from '../local/build.ts'
import { type Services, startServices } from '../local/services.ts'

// `npm test [-- jest arguments]`: the services, the build, then jest over everything or the paths given.

const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

/** Tests of pure parts need no services: with only such paths, none are started. */
function needsServices(args: string[]): boolean {
  const paths = args.filter((arg) => !arg.startsWith('-'))
  return paths.length === 0 || !paths.every((path) => /^(\.\/)?test\/unit\b/.test(path))
}

/** Runs jest with these settings on top of the environment. Returns its exit code. */
function runJest(args: string[], env: Record<string, string>): Promise<number> {
  const own = args.some((arg) => /^(-i|--runInBand|-w|--maxWorkers)/.test(arg)) ? [] : ['--maxWorkers=2']
  const jest = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js')
  const child = spawn(process.execPath, ['--experimental-vm-modules', '--no-warnings', jest, ...own, ...args], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  })
  return new Promise((resolve, reject) => {
    const stop = (signal: NodeJS.Signals) => child.kill(signal)
    process.on('SIGINT', stop).on('SIGTERM', stop)
    child.once('error', reject)
    child.once('exit', (code) => {
      process.off('SIGINT', stop).off('SIGTERM', stop)
      resolve(code ?? 130)
    })
  })
}

async function main(args: string[]): Promise<number> {
  if (!needsServices(args)) return runJest(args, {})
  let services: Services | null = null
  try {
    await build(print)
    services = await startServices({ registry: true, progress: print })
    return await runJest(args, services.env)
  } finally {
    await services?.[Symbol.asyncDispose]()
  }
}

try {
  process.exit(await main(process.argv.slice(2)))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}
