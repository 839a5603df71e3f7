import { createHash } from 'node:crypto'
import { positionOf } from '../model/input.ts'
import type { Model } from '../model/model.ts'
import { createDifferences, type Differences, show } from './differences.ts'
import type { JudgedRecord } from './judge.ts'

/** Compares the dead letters, each source position once, with the model. */
export async function compareDeadLetters(
  records: AsyncIterable<JudgedRecord>,
  model: Model,
): Promise<Differences & { deadLetters: number; repeated: number }> {
  const differences = createDifferences([
    'dead letters missing',
    'dead letters too many',
    'dead letters with a wrong reason',
    'dead letters that are not the record',
  ])
  const seen = new Set<string>()
  let total = 0
  for await (const letter of records) {
    total++
    const header = (name: string) => letter.headers[`dead_letter_${name}`] ?? ''
    const source = `${header('source_topic')}/${header('source_partition')}/${header('source_offset')}`
    const expected = model.deadLetters.get(source)
    seen.add(source)
    if (expected === undefined) {
      differences.add('dead letters too many', () => `${source}: ${show(letter.headers)}`)
      continue
    }
    const { reason, record } = expected
    if (header('reason') !== reason) {
      differences.add(
        'dead letters with a wrong reason',
        () => `${source}: expected ${reason}, ${show(letter.headers)}`,
      )
    }
    const isSame = sameBytes(letter.key, record.key) && sameValue(letter, record.value)
    if (!isSame || header('source_timestamp') !== String(record.timestamp)) {
      differences.add('dead letters that are not the record', () => `${source}: ${show(letter.headers)}`)
    }
  }
  for (const [source, { reason, record }] of model.deadLetters) {
    if (!seen.has(source)) differences.add('dead letters missing', () => `${positionOf(record)}, ${reason}`)
  }
  return { ...differences, deadLetters: seen.size, repeated: total - seen.size }
}

/** Card data may be taken out of a value; its digest is then that of the original. */
function sameValue({ headers, value }: JudgedRecord, original: Buffer | null): boolean {
  if (headers.dead_letter_value === undefined || original === null) return sameBytes(value, original)
  return headers.dead_letter_value_digest === `sha256:${createHash('sha256').update(original).digest('hex')}`
}

const sameBytes = (a: Buffer | null, b: Buffer | null) => (a === null || b === null ? a === b : a.equals(b))
