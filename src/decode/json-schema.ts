import type { Json } from '../contract/record.ts'
import { decodeJson } from './json.ts'
import { Rejected } from './rejected.ts'

/** What the registry's library makes of a JSON Schema. */
export interface JsonSchemaLike {
  /** Without a hook it calls everything valid. */
  isValid(payload: object, opts: { errorHook: (path: string[]) => void }): boolean
}

const errorHook = () => {}

/** Reads JSON that a JSON Schema describes. It is validated as doubles have it, and kept as it is. */
export function createJsonSchemaReader(schema: JsonSchemaLike): (bytes: Buffer) => Json {
  return (bytes) => {
    const outcome = decodeJson(bytes)
    if ('reject' in outcome) throw new Rejected(outcome.reject, outcome.message)
    const { value } = outcome
    if (!schema.isValid(JSON.parse(bytes.toString('utf8').replace(/^\ufeff/, '')), { errorHook }))
      throw new Error('not valid')
    return value
  }
}
