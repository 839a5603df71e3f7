import { Decimal, type Json } from '../../contract/record.ts'
import { createDecoder } from '../../decode/decoder.ts'
import { createSchemaReader } from '../../decode/registry.ts'
import type { Settings } from '../../settings.ts'

/** What a value says, as JSON, or in a sentence why it cannot be told; null where the value is its own best picture. */
export async function decodedOf(value: Buffer | null, registry: Settings['registry']): Promise<string | null> {
  if (value === null || value[0] !== 0) return null
  const decoder = createDecoder(registry && createSchemaReader(registry))
  try {
    await decoder.prepare([value])
  } catch (error) {
    return (error as Error).message
  }
  const outcome = decoder.decode(value)
  return 'reject' in outcome ? outcome.message : JSON.stringify(outcome.value, withTexts, 2)
}

/** What JSON.stringify cannot write, or would round. */
const withTexts = (_: string, value: Json) =>
  typeof value === 'bigint' ? String(value) : value instanceof Decimal ? value.text : value
