import { Ajv, type AnySchemaObject, type Options } from 'ajv'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { AnyValidateFunction } from 'ajv/dist/types/index.js'
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

/** Words of their own are taken as far as they are understood. */
const LENIENT: Options = { strict: false, validateSchema: false, validateFormats: false, logger: false }

/** What the registry's library asks of an Ajv. */
interface Drafts {
  addSchema(schema: AnySchemaObject, key: string): void
  compile(schema: AnySchemaObject): AnyValidateFunction
}

/**
 * Stands where the registry's library wants an Ajv: that reads one draft, this takes for each schema, with those it refers to, one
 * of its draft. The library adds and compiles in one go.
 */
export function createDrafts(): Drafts {
  let referenced: [AnySchemaObject, string][] = []
  return {
    addSchema: (schema, key) => void referenced.push([schema, key]),
    compile(schema) {
      const mine = referenced
      referenced = [] // also when one of them is bad
      const ajv = newDraft(String(schema.$schema))
      for (const [one, key] of mine) ajv.addSchema(one, key)
      return ajv.compile(schema)
    },
  }
}

function newDraft(name: string): Ajv {
  if (name.includes('2020-12')) return new Ajv2020(LENIENT)
  return name.includes('2019-09') ? new Ajv2019(LENIENT) : new Ajv(LENIENT)
}
