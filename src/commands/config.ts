import { NAMES, VARIABLES } from '../settings/variables.ts'
import { type EffectiveSetting, effectiveSettings, environment } from '../settings.ts'
import { print, printHelp, readArguments, tell } from './command-line.ts'

const width = Math.max(...NAMES.map((name) => name.length))

const variableLine = (name: (typeof NAMES)[number]): string => {
  const { meaning, fallback, fromFile } = VARIABLES[name]
  const extra = [fallback === null ? '' : `[${fallback}]`, fromFile ? `(or ${name}_FILE)` : '']
    .filter(Boolean)
    .join(' ')
  return `  ${name.padEnd(width)} ${meaning.replaceAll('`', '')}${extra && ` ${extra}`}`
}

export const help = `Usage: pm-parking-events config [--json]

Prints the effective settings, one NAME=value a line, with secrets redacted, and checks them as "process" would.
Exits with 1 when one is bad, and names each.

Options:
  --json      one JSON object: settings, which of them are defaults, problems, warnings
  -h, --help  this text

Settings, with their defaults:
${NAMES.map(variableLine).join('\n')}

Example:
  KAFKA_BROKERS=localhost:9092 MONGODB_URI=mongodb://localhost:27017 pm-parking-events config`

const ORIGINS = { default: '  # default', unset: '  # not set', file: '  # from file', environment: '' }

const line = ({ name, value, origin }: EffectiveSetting): string => `${name}=${value ?? ''}${ORIGINS[origin]}`

/** Prints the effective settings; 1 when one of them is bad. */
export async function run(argv: string[]): Promise<number> {
  const { values } = readArguments(argv, { json: { type: 'boolean' } })
  if (values.help) return printHelp(help)
  const env = environment()
  const isStatusOnly = env.STAGES?.trim() === 'status'
  const { settings, problems, warnings } = effectiveSettings(env, {
    needs: isStatusOnly ? ['kafka'] : ['kafka', 'mongodb'],
  })
  if (values.json) {
    const defaults = settings.filter(({ origin }) => origin === 'default').map(({ name }) => name)
    const byName = Object.fromEntries(settings.map(({ name, value }) => [name, value]))
    print(JSON.stringify({ settings: byName, defaults, problems, warnings }, null, 2))
  } else {
    for (const setting of settings) print(line(setting))
  }
  for (const { name, problem, example } of problems) tell(`${name} ${problem}. Example: ${example}`)
  for (const warning of warnings) tell(`Warning: ${warning}`)
  return problems.length > 0 ? 1 : 0
}
