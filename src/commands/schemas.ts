import { readSettings, type Settings } from '../settings.ts'
import { registerSchema } from '../stream/register-schema.ts'
import { SCHEMA_NAMES, type SchemaName, type Standing, schemaText, standingOf, subjectsOf } from '../stream/subjects.ts'
import { CommandError, print, printHelp, readArguments, table, tell, UsageError } from './command-line.ts'

export const help = `Usage: pm-parking-events schemas check [schema …] [--json]
       pm-parking-events schemas register [schema …] [--json]

Compares the Avro schemas in schemas/ with what SCHEMA_REGISTRY_URL holds: of EVENTS_TOPICS (event), RESPONSES_TOPICS
(response) and STATUS_TOPIC (status-update), under the name of the topic and under that of the record.

  check      tells how each stands: new, registered, compatible or incompatible; exits with 1 when one is incompatible
  register   checks all, and when none is incompatible registers those that are not yet

"process" registers status-update by itself when it starts. Producers may use our schemas of events and responses, or their own:
then leave those out.

Options:
  --json      one JSON array
  -h, --help  this text

Examples:
  SCHEMA_REGISTRY_URL=http://localhost:8081 pm-parking-events schemas check
  SCHEMA_REGISTRY_URL=http://localhost:8081 pm-parking-events schemas register event response`

interface Line {
  subject: string
  schema: SchemaName
  standing: Standing
  topic: string
}

const HEAD = ['SUBJECT', 'SCHEMA', 'STANDING']
const cells = ({ subject, schema, standing }: Line): string[] => [subject, schema, standing]

/** Runs `schemas`; 0, or 1 when a schema is incompatible, or the registry cannot be asked. */
export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = readArguments(argv, { json: { type: 'boolean' } }, 1 + SCHEMA_NAMES.length)
  if (values.help) return printHelp(help)
  const [verb, ...names] = positionals
  if (verb !== 'check' && verb !== 'register') throw new UsageError('check or register? Say which')
  const chosen = names.length > 0 ? names.map(schemaName) : SCHEMA_NAMES
  const { registry, topics } = readSettings(undefined, { needs: [] })
  if (registry === null) throw new CommandError('SCHEMA_REGISTRY_URL is not set. Example: http://localhost:8081')
  const lines = await told(compare(registry, topics, chosen))
  const bad = lines.filter(({ standing }) => standing === 'incompatible')
  if (verb === 'register' && bad.length === 0) await told(registerAll(registry, lines))
  if (values.json) print(JSON.stringify(lines, null, 2))
  else for (const row of table([HEAD, ...lines.map(cells)])) print(row)
  if (bad.length === 0) return 0
  tell(
    `${bad.length} incompatible${verb === 'register' ? ', so nothing was registered' : ''}. Use another topic or registry, leave that schema out, or lower the compatibility of its subject`,
  )
  return 1
}

const told = <T>(work: Promise<T>): Promise<T> =>
  work.catch((error: Error) => {
    throw new CommandError(error.message)
  })

function schemaName(name: string): SchemaName {
  const known = SCHEMA_NAMES.find((one) => one === name)
  if (known === undefined) throw new UsageError(`unknown schema '${name}'; there are ${SCHEMA_NAMES.join(', ')}`)
  return known
}

async function compare(
  registry: NonNullable<Settings['registry']>,
  topics: Settings['topics'],
  names: readonly SchemaName[],
): Promise<Line[]> {
  const topicsOf = { event: topics.events, response: topics.responses, 'status-update': [topics.status] }
  const lines = new Map<string, Line>()
  for (const schema of names) {
    const text = await schemaText(schema)
    for (const topic of topicsOf[schema]) {
      for (const subject of subjectsOf(text, topic)) {
        if (lines.has(subject)) continue
        lines.set(subject, { subject, schema, standing: await standingOf(registry, subject, text), topic })
      }
    }
  }
  return [...lines.values()]
}

/** What is registered is told so. */
async function registerAll(registry: NonNullable<Settings['registry']>, lines: Line[]): Promise<void> {
  for (const line of lines) {
    if (line.standing !== 'registered') await registerSchema(registry, line.schema, line.topic)
    line.standing = 'registered'
  }
}
