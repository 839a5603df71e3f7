import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { build, ROOT } from '../local/build.ts'
import { forget, watch } from '../local/native/guard.ts'
import { signalGroup } from '../local/native/process.ts'
import { type Services, startServices } from '../local/services.ts'
import { whenToldToStop } from '../local/when-told.ts'

// `npm test [-- jest arguments]`: the services, the build, then jest over everything or the paths given.

/** Exit code of a run that was told to stop. */
const STOPPED = 130

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
    stdio: ['ignore', 'inherit', 'inherit'],
    // A group of its own, so that its workers and what the tests start end with it.
    detached: true,
    env: { ...process.env, ...env },
  })
  const { pid } = child
  if (pid !== undefined) {
    watch(pid)
    whenToldToStop(() => signalGroup(pid, 'SIGKILL'))
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => {
      if (pid !== undefined) forget(pid)
      resolve(code ?? STOPPED)
    })
  })
}

async function main(args: string[]): Promise<number> {
  if (!needsServices(args)) return runJest(args, {})
  let services: Services | null = null
  try {
    await build(print)
    services = await startServices({ registry: true, mysql: true, progress: print })
    const { env, mysqlAdmin } = services
    return await runJest(args, { ...env, ...(mysqlAdmin !== undefined && { PRIMARY_MYSQL_ADMIN_URI: mysqlAdmin }) })
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
