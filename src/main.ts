#!/usr/bin/env node
// No static import here: an older Node must get as far as the line that says so.

const NEEDED = [22, 22]
const LEAST = [20, 19]

const COMMANDS = {
  process: {
    does: 'the stream processor: documents to MongoDB, status updates to Kafka',
    load: () => import('./commands/process.ts'),
  },
  simulate: {
    does: 'produce realistic parking traffic to the input topics',
    load: () => import('./commands/simulate.ts'),
  },
  tail: { does: 'print status updates as they are published', load: () => import('./commands/tail.ts') },
  serve: { does: 'the read side: HTTP API, live status updates, a page', load: () => import('./commands/serve.ts') },
  health: {
    does: 'ask the program that runs here whether it is alive, or ready',
    load: () => import('./commands/health.ts'),
  },
  config: { does: 'print the effective settings, and name each bad one', load: () => import('./commands/config.ts') },
  'dead-letters': {
    does: 'list, show and replay the records that could not be taken',
    load: () => import('./commands/dead-letters.ts'),
  },
  schemas: {
    does: 'check or register our schemas in the schema registry',
    load: () => import('./commands/schemas.ts'),
  },
}

const help = () => `Usage: pm-parking-events <command> [options]

Commands:
${Object.entries(COMMANDS)
  .map(([name, { does }]) => `  ${name.padEnd(14)} ${does}`)
  .join('\n')}

Options:
  -h, --help     this text; after a command: the help of that command
  --version      print the version

Settings are environment variables: see "pm-parking-events config --help".

Example:
  KAFKA_BROKERS=localhost:9092 MONGODB_URI=mongodb://localhost:27017 pm-parking-events process`

function atLeast(version: string, [major = 0, minor = 0]: number[]): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split('.').map(Number)
  return ownMajor > major || (ownMajor === major && ownMinor >= minor)
}

/** Whether this Node can go on; an old one is told about on standard error. */
function nodeWillDo(): boolean {
  const running = process.versions.node
  if (atLeast(running, NEEDED)) return true
  const goesOn = atLeast(running, LEAST)
  const rest = goesOn ? 'going on, untested' : `it cannot run on less than ${LEAST.join('.')}`
  process.stderr.write(
    `pm-parking-events: this is Node ${running}, and Node ${NEEDED.join('.')} or newer is needed: ${rest}\n`,
  )
  return goesOn
}

async function main(argv: string[]): Promise<number> {
  const { print, runCommand, tellError, UsageError } = await import('./commands/command-line.ts')
  const [name = '--help', ...rest] = argv
  if (name === '--help' || name === '-h' || name === 'help') {
    print(help())
    return argv.length === 0 ? 2 : 0
  }
  if (name === '--version') {
    print((await import('./operate/version.ts')).version())
    return 0
  }
  if (!Object.hasOwn(COMMANDS, name)) {
    const known = `unknown command '${name}'; there are ${Object.keys(COMMANDS).join(', ')}`
    return tellError('', new UsageError(name.startsWith('-') ? `unknown option '${name}'` : known))
  }
  const { run } = await COMMANDS[name as keyof typeof COMMANDS].load()
  return runCommand(name, () => run(rest))
}

/** A command closes what it opened; a client library's timer left behind must not keep the process. */
function leave(code: number): void {
  process.exitCode ||= code
  setTimeout(() => process.exit(), 500).unref()
}

if (nodeWillDo()) {
  main(process.argv.slice(2)).then(leave, (error: unknown) => {
    process.stderr.write(`pm-parking-events: ${error instanceof Error ? error.stack : String(error)}\n`)
    leave(1)
  })
} else {
  process.exitCode = 1
}
