import { NAMES, VARIABLES } from '../../src/settings/variables.ts'
import { code, page, table } from './markdown.ts'

export function settingsPage(): string {
  const rows = NAMES.map((name) => {
    const { fallback, meaning, example, fromFile } = VARIABLES[name]
    return [`${code(name)}${fromFile ? ' †' : ''}`, code(fallback ?? ''), meaning, code(example)]
  })
  return page(
    'Settings',
    'src/settings/variables.ts',
    `Environment variables; blank counts as not set. All are checked at start, and all errors are told at once. One marked † can come from a
file instead: \`MONGODB_URI_FILE=/run/secrets/uri\`. \`pm-parking-events config\` prints what is in effect, without secrets.`,
    `\`process\` needs \`KAFKA_BROKERS\` and, unless it runs the status stage alone, \`MONGODB_URI\`; \`serve\` needs both; the other commands need
\`KAFKA_BROKERS\`; \`health\` needs nothing, and \`config\` checks what \`process\` needs.`,
    table(['variable', 'default', 'meaning', 'example'], rows),
    `Of Node itself: \`NODE_OPTIONS=--max-semi-space-size=8\` saves \`process\` 100 MB where there is much memory, and
\`--max-old-space-size=256 --max-semi-space-size=8\` keeps \`serve\` small ([how much](../explanation/read-side.md#memory)); \`NODE_EXTRA_CA_CERTS\`
names the file of a certificate authority of your own.`,
  )
}
