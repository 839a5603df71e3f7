import { Decimal, type Json, type JsonObject } from '../contract/record.ts'

/** Sets a key as data, whatever its name: `__proto__` too becomes a plain key of the object, as `JSON.parse` does it. */
export function put(object: JsonObject, key: string, value: Json): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
  } else {
    object[key] = value
  }
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Decimal)
}
