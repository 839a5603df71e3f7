/** Writes the dashboards, helm/dashboards/*.json: `npm run dashboards`. */
import { writeFile } from 'node:fs/promises'
import { dashboards } from './dashboards.ts'

for (const [name, text] of dashboards()) await writeFile(new URL(`../${name}.json`, import.meta.url), text)
