import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import avsc, { type Schema } from 'avsc'

const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'))
/** The schemas that a release brought, as others may still write and read by them. */
const RELEASED: Record<string, Record<string, Schema>> = { '0.1.0': read('test/unit/schemas-0.1.0.json') }

/** Throws when a reader by `reader` cannot read what was written by `writer`. */
const resolve = (reader: Schema, writer: Schema) => {
  avsc.Type.forSchema(reader).createResolver(avsc.Type.forSchema(writer))
}

describe.each(Object.entries(RELEASED))('of release %s', (_, schemas) => {
  test.each(Object.keys(schemas))('readers and writers of %s understand those of today', (name) => {
    const [today, released] = [read(`schemas/${name}.avsc`), schemas[name] as Schema]
    expect(() => resolve(today, released)).not.toThrow()
    expect(() => resolve(released, today)).not.toThrow()
  })
})

test('a schema that breaks them would be noticed', () => {
  const today = read('schemas/event.avsc')
  const needsMore = { ...today, fields: [...today.fields, { name: 'needed', type: 'string' }] }
  expect(() => resolve(needsMore, today)).toThrow(/needed/)
})
