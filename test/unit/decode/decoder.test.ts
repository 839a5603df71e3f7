import { describe, expect, test } from '@jest/globals'
import { createDecoder } from '../../../src/decode/decoder.ts'
import type { SchemaReader } from '../../../src/decode/registry.ts'

const framed = (id: number, payload: string) => {
  const header = Buffer.alloc(5)
  header.writeInt32BE(id, 1)
  return Buffer.concat([header, Buffer.from(payload)])
}

/** Notes what it is asked. */
function listener() {
  const prepared: number[][] = []
  const decoded: [number, string][] = []
  const reader: SchemaReader = {
    async prepare(ids) {
      prepared.push([...ids])
    },
    decode(id, payload) {
      decoded.push([id, payload.toString()])
      return { value: 'read' }
    },
  }
  return { reader, prepared, decoded }
}

describe('the first byte tells the encoding', () => {
  test('JSON needs no registry', () => {
    expect(createDecoder(null).decode(Buffer.from('{"a":1}'))).toEqual({ value: { a: 1 } })
  })

  test('byte 0 goes to the registry, with its schema id', () => {
    const { reader, decoded } = listener()
    expect(createDecoder(reader).decode(framed(258, 'payload'))).toEqual({ value: 'read' })
    expect(decoded).toEqual([[258, 'payload']])
  })

  test('byte 0 without a registry is rejected, and says what to set', () => {
    const outcome = createDecoder(null).decode(framed(1, ''))
    expect(outcome).toMatchObject({ reject: 'no_registry' })
    expect((outcome as { message: string }).message).toContain('SCHEMA_REGISTRY_URL')
  })

  test('byte 0 without a whole schema id is undecodable', () => {
    expect(createDecoder(listener().reader).decode(Buffer.from([0, 0, 1]))).toMatchObject({ reject: 'undecodable' })
  })

  test('no bytes are an empty value', () => {
    expect(createDecoder(listener().reader).decode(Buffer.alloc(0))).toMatchObject({ reject: 'empty_value' })
  })
})

describe('prepare', () => {
  test('asks once for each schema of a mixed batch', async () => {
    const { reader, prepared } = listener()
    await createDecoder(reader).prepare([
      framed(7, 'a'),
      Buffer.from('{}'),
      null,
      framed(8, ''),
      framed(7, 'b'),
      Buffer.from([0]),
    ])
    expect(prepared).toEqual([[7, 8]])
  })

  test('asks nothing when all is JSON, or without a registry', async () => {
    const { reader, prepared } = listener()
    await createDecoder(reader).prepare([Buffer.from('{}'), null])
    await createDecoder(null).prepare([framed(7, 'a')])
    expect(prepared).toEqual([])
  })
})
