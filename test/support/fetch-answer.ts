/** What a broker answers to a fetch, byte by byte. */

export const TRANSACTIONAL = 0x10
const CONTROL = 0x20

interface BatchParts {
  base: number
  last: number
  producer?: number
  attributes?: number
  /** Offsets of the records that are left. */
  records?: number[]
  key?: Buffer
}

/** A record batch as a broker has it, its records with the offset as value. */
export function batch({
  base,
  last,
  producer = -1,
  attributes = 0,
  records = [],
  key = Buffer.from('k'),
}: BatchParts): Buffer {
  const header = Buffer.alloc(61)
  const bodies = records.map((offset) => {
    const value = Buffer.from(String(offset))
    const body = [Buffer.from([0, 0, 2 * (offset - base), 2 * key.length]), key, Buffer.from([2 * value.length]), value]
    const record = Buffer.concat([...body, Buffer.from([0])])
    return Buffer.concat([Buffer.from([2 * record.length]), record])
  })
  const body = Buffer.concat(bodies)
  header.writeBigInt64BE(BigInt(base), 0)
  header.writeInt32BE(61 - 12 + body.length, 8)
  header[16] = 2
  header.writeInt16BE(attributes, 21)
  header.writeInt32BE(last - base, 23)
  header.writeBigInt64BE(1_000n, 27)
  header.writeBigInt64BE(2_000n, 35)
  header.writeBigInt64BE(BigInt(producer), 43)
  header.writeInt32BE(records.length, 57)
  return Buffer.concat([header, body])
}

export const COMMIT = Buffer.from([0, 0, 0, 1])
export const ABORT = Buffer.from([0, 0, 0, 0])
export const marker = (base: number, producer: number, key: Buffer) =>
  batch({ base, last: base, producer, attributes: TRANSACTIONAL | CONTROL, records: [base], key })
export const written = (base: number, producer: number) =>
  batch({ base, last: base, producer, attributes: TRANSACTIONAL, records: [base] })

const int = (bytes: 2 | 4 | 8, value: number): Buffer => {
  const buffer = Buffer.alloc(bytes)
  if (bytes === 8) buffer.writeBigInt64BE(BigInt(value))
  else buffer.writeIntBE(value, 0, bytes)
  return buffer
}

export interface PartitionParts {
  partition: number
  errorCode?: number
  batches?: Buffer[]
  aborted?: [number, number][]
}

function partitionOf(
  version: number,
  { partition, errorCode = 0, batches = [], aborted = [] }: PartitionParts,
): Buffer {
  const records = Buffer.concat(batches)
  return Buffer.concat([
    ...[int(4, partition), int(2, errorCode), int(8, 100), int(8, 90)],
    ...(version >= 5 ? [int(8, 0)] : []),
    int(4, aborted.length),
    ...aborted.flatMap(([producer, first]) => [int(8, producer), int(8, first)]),
    ...(version >= 11 ? [int(4, -1)] : []),
    ...[int(4, records.length), records],
  ])
}

/** The answer of a broker, in a version of the fetch protocol: of partitions of one topic. */
export function answerOf(version: number, throttleMs: number, partitions: PartitionParts[]): Buffer {
  return Buffer.concat([
    int(4, throttleMs),
    ...(version >= 7 ? [int(2, 0), int(4, 0)] : []),
    ...[int(4, 1), int(2, 5), Buffer.from('topic'), int(4, partitions.length)],
    ...partitions.map((one) => partitionOf(version, one)),
  ])
}

/** The answer for partition 3 alone. */
export const answer = (version: number, throttleMs: number, batches: Buffer[], aborted: [number, number][] = []) =>
  answerOf(version, throttleMs, [{ partition: 3, batches, aborted }])
