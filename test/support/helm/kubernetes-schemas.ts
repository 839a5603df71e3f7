import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

export type Schema = Record<string, unknown>

/** Where the schemas lie; README.md beside them tells what they are. */
export const KUBERNETES_SCHEMAS = fileURLToPath(new URL('kubernetes-schemas.json.gz', import.meta.url))

/** Writes a file for each kind into a directory; what kubeconform is to be told of it. */
export async function unpackKubernetesSchemas(directory: string): Promise<string> {
  const text = gunzipSync(readFileSync(KUBERNETES_SCHEMAS)).toString('utf8')
  const { kinds, definitions } = JSON.parse(text) as { kinds: Record<string, Schema>; definitions: Schema }
  for (const [name, schema] of Object.entries(kinds)) {
    await writeFile(join(directory, `${name}.json`), JSON.stringify({ ...schema, definitions }))
  }
  return join(directory, '{{ .ResourceKind }}{{ .KindSuffix }}.json')
}
