import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/** Public test data, with its licence in the file: `test/corpora`. */
function read<T>(name: string): T {
  const file = new URL(`../corpora/${name}.json.gz`, import.meta.url)
  return JSON.parse(gunzipSync(readFileSync(file)).toString('utf8'))
}

/**
 * JSON texts that a parser must take (`y_…`), must refuse (`n_…`) or may do either with (`i_…` and the others).
 * Source: https://github.com/nst/JSONTestSuite (MIT).
 */
export function jsonTestSuite(): { name: string; bytes: Buffer }[] {
  const { cases } = read<{ cases: { name: string; base64: string }[] }>('json-test-suite')
  return cases.map(({ name, base64 }) => ({ name, bytes: Buffer.from(base64, 'base64') }))
}

/** Texts that have broken programs. Source: https://github.com/minimaxir/big-list-of-naughty-strings (MIT). */
export function naughtyStrings(): string[] {
  return read<{ strings: string[] }>('naughty-strings').strings
}

/**
 * The schema of Compose files. Source: schema/compose-spec.json of the Go module github.com/compose-spec/compose-go/v2,
 * v2.10.1, as `docker compose` 5 has it (Apache-2.0).
 */
export const composeSchema = (): Record<string, unknown> => read('compose-spec')
