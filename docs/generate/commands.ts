import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { fenced, page } from './markdown.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

const helpOf = async (...command: string[]): Promise<string> =>
  (await promisify(execFile)(process.execPath, ['--no-warnings', MAIN, ...command, '--help'])).stdout

/** What `--help` says, of the program and of each command that it names. */
export async function commandsPage(): Promise<string> {
  const all = await helpOf()
  const [, list = ''] = /Commands:\n([\s\S]*?)\n\n/.exec(all) ?? []
  const names = list.split('\n').map((line) => line.trim().split(' ', 1)[0] ?? '')
  const sections = names.map(async (name) => `## ${name}\n\n${fenced(await helpOf(name), 'text')}`)
  return page(
    'Commands',
    'the help of the program',
    'In the image `pm-parking-events` is the entry point; in a checkout it is `node dist/main.js`, after `npm ci && npm run build`.',
    fenced(all, 'text'),
    `Exit codes: 0; 1 for an error that is told; 2 for wrong arguments; 130 or 143 when a signal cut it short. SIGTERM lets \`process\`
finish and commit what is in flight; what takes longer than 9 seconds is replayed at the next start. A second signal ends it at once.`,
    ...(await Promise.all(sections)),
  )
}
