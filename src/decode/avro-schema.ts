import avsc, { type Schema, type Type } from 'avsc'
import { MeantType, meaningOf } from './avro-logical.ts'

/**
 * Finds the fields of an Avro schema that hold JSON text. A string with the property `"json": true` is one, and so is
 * each string of a field with that property, also within a union:
 *
 *     { "name": "payload", "type": ["null", "string"], "json": true }
 *     { "name": "payload", "type": ["null", { "type": "string", "json": true }] }
 *
 * avsc forgets properties that it does not know, so `markJsonText`, given to it as `typeHook`, puts a type of its own in
 * their place; `avro.ts` reads that as JSON.
 */
export class JsonTextType extends avsc.types.LogicalType {
  protected override _fromValue(value: unknown): unknown {
    return value
  }
  protected override _toValue(value: unknown): unknown {
    return value
  }
}

/** Message of the error when there is no schema at all, because what was fetched is none. */
export const NO_SCHEMA = 'What was fetched holds no schema.'

/** Names of the types made so far; none at the root. */
const isRoot = ({ registry }: { registry?: object }) => Object.keys(registry ?? {}).length === 0

type Attributes = { [name: string]: unknown }

export function createJsonTextHook(): (schema: Schema, opts: object) => Type | undefined {
  const seen = new WeakSet<object>()
  return (schema, opts) => {
    if (schema === undefined && isRoot(opts)) throw new Error(NO_SCHEMA)
    if (typeof schema !== 'object' || schema === null || Array.isArray(schema) || seen.has(schema)) return undefined
    const attributes = schema as unknown as Attributes
    if (attributes.type === 'string' && attributes.json === true) {
      const plain = { type: 'string', logicalType: 'json' }
      seen.add(plain)
      return new JsonTextType(plain as never, opts)
    }
    const meaning = typeof attributes.logicalType === 'string' ? meaningOf(attributes) : undefined
    if (meaning !== undefined) {
      const plain = { ...attributes }
      seen.add(plain)
      return new MeantType(plain as never, opts, meaning) as unknown as Type
    }
    if (attributes.type !== 'record' || !Array.isArray(attributes.fields)) return undefined
    const marked = { ...attributes, fields: attributes.fields.map(markField) }
    seen.add(marked)
    return avsc.Type.forSchema(marked as unknown as Schema, opts)
  }
}

/** Defaults are for readers of an older schema; the writer's own records have every field. */
function markField({ default: _default, ...field }: Attributes): Attributes {
  return field.json === true ? { ...field, type: markStrings(field.type) } : field
}

function markStrings(type: unknown): unknown {
  if (type === 'string') return { type: 'string', json: true }
  if (Array.isArray(type)) return type.map(markStrings)
  return isStringType(type) ? { ...type, json: true } : type
}

const isStringType = (type: unknown): type is Attributes =>
  typeof type === 'object' && type !== null && (type as Attributes).type === 'string'
