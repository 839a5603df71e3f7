import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { commandsPage } from './generate/commands.ts'
import { httpPage } from './generate/http.ts'
import { metricsPage } from './generate/metrics.ts'
import { settingsPage } from './generate/settings.ts'
import { topicsPage } from './generate/topics.ts'

// `npm run docs`: writes docs/reference from the code. test/unit/docs.test.ts holds them equal.

const PAGES = {
  'commands.md': commandsPage,
  'http.md': httpPage,
  'metrics.md': metricsPage,
  'settings.md': settingsPage,
  'topics.md': topicsPage,
}

/** The pages of docs/reference that are made, by name. */
export async function referencePages(): Promise<Map<string, string>> {
  const pages = Object.entries(PAGES).map(async ([name, page]) => [name, await page()] as const)
  return new Map(await Promise.all(pages))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, text] of await referencePages()) {
    await writeFile(new URL(`reference/${name}`, import.meta.url), text)
    process.stdout.write(`docs/reference/${name}\n`)
  }
}
