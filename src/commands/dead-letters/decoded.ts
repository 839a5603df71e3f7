import { Decimal, type Json } from '../../contract/record.ts'
import { createDecoder } from '../../decode/decoder.ts'
import { createSchemaReader } from '../../decode/registry.ts'
import { createCards, Unstorable } from '../../normalize/card-data.ts'
import type { Settings } from '../../settings.ts'

/** What a value says, as JSON without card data, or in a sentence why it cannot be told; null where the value is its own best picture. */
export async function decodedOf(value: Buffer | null, { registry, cards }: Settings): Promise<string | null> {
  if (value === null || value[0] !== 0) return null
  const decoder = createDecoder(registry && createSchemaReader(registry))
  try {
    await decoder.prepare([value])
  } catch (error) {
    return (error as Error).message
  }
  const outcome = decoder.decode(value)
  if ('reject' in outcome) return outcome.message
  try {
    return JSON.stringify(createCards(cards).clean(outcome.value), withTexts, 2)
  } catch (error) {
    if (error instanceof Unstorable) return error.message
    throw error
  }
}

/** What JSON.stringify cannot write, or would round. */
const withTexts = (_: string, value: Json) =>
  typeof value === 'bigint' ? String(value) : value instanceof Decimal ? value.text : value
