/**
 * kafkajs 2.2.4 reads gzip only, and gives up a partition whose producers compress otherwise. Here are the three other codecs of
 * Kafka, for reading. What becomes too large when it is decompressed is refused before it fills the memory.
 */
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { decompressFrame } from 'lz4-napi'
import { uncompress } from 'snappy'

/** Of one record batch. The broker's default is 1 MiB compressed, and producers fill less than that before they compress. */
const MOST_BYTES = 64 * 1024 * 1024

interface Codec {
  decompress(bytes: Buffer): Promise<Buffer>
  compress(): never
}

/** What cannot be decompressed is an error of this name and no other: kafkajs ends a consumer for good over a RangeError. */
class CompressionError extends Error {
  override readonly name = 'CompressionError'
}

const guarded = (decompress: Codec['decompress']) => async (bytes: Buffer) => {
  try {
    return await decompress(bytes)
  } catch (cause) {
    throw new CompressionError(`A record batch cannot be decompressed: ${(cause as Error).message}`, { cause })
  }
}

const readOnly = (decompress: Codec['decompress']): Codec => ({
  decompress: guarded(decompress),
  compress() {
    throw new Error('This codec is for reading: set compression.type on the topic.')
  },
})

const limit = { maxOutputLength: MOST_BYTES }
const zstd = readOnly((bytes) => {
  if (!zlib.zstdDecompress) throw new Error('This Node cannot read zstd. Run on Node 22.22 or newer.')
  return promisify(zlib.zstdDecompress)(bytes, limit)
})

/** LZ4 frames, as their specification has them. */
const lz4 = readOnly((bytes) => {
  if (mostOfFrame(bytes) > MOST_BYTES) throw tooLarge()
  return decompressFrame(bytes)
})

/** What the blocks of a frame can hold at most: each says how long it is, and the frame how much one holds. */
function mostOfFrame(bytes: Buffer): number {
  const flags = bytes[4] ?? 0
  const ofBlock = 2 ** (8 + 2 * (((bytes[5] ?? 0) >> 4) & 7)) // 4: 64 KiB, up to 7: 4 MiB
  const sumLength = flags & 0x10 ? 4 : 0
  let at = 7 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0)
  let most = 0
  while (at + 4 <= bytes.length) {
    const length = bytes.readUInt32LE(at) & 0x7fffffff
    if (length === 0) break
    most += ofBlock
    at += 4 + length + sumLength
  }
  return most
}

/**
 * Snappy as Java's clients write it: a header of 16 bytes, then blocks, each with its length in four bytes. Others write one
 * block without a header.
 */
const snappy = readOnly(async (bytes) => {
  if (!bytes.subarray(0, JAVA_HEADER.length).equals(JAVA_HEADER)) return block(bytes)
  const blocks: Buffer[] = []
  let total = 0
  for (let at = 16; at < bytes.length; ) {
    const end = at + 4 + bytes.readUInt32BE(at)
    if (end > bytes.length) throw new Error('A snappy block is cut short')
    const one = await block(bytes.subarray(at + 4, end))
    total += one.length
    if (total > MOST_BYTES) throw tooLarge()
    blocks.push(one)
    at = end
  }
  return Buffer.concat(blocks)
})

const JAVA_HEADER = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])

/** A block begins with the length of what it holds, as a varint. */
async function block(bytes: Buffer): Promise<Buffer> {
  let length = 0
  for (let i = 0; i < 5; i++) {
    const byte = bytes[i] ?? 0
    length += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) break
  }
  if (length > MOST_BYTES) throw tooLarge()
  return (await uncompress(bytes)) as Buffer
}

const tooLarge = () => new Error(`A record batch is over ${MOST_BYTES} bytes when it is decompressed`)

const require = createRequire(import.meta.url)
const { Codecs, Types } = require('kafkajs/src/protocol/message/compression/index.js')
const gzip = {
  ...require('kafkajs/src/protocol/message/compression/gzip.js'),
  decompress: guarded((bytes) => promisify(zlib.gunzip)(bytes, limit)),
}
Object.assign(Codecs, {
  [Types.GZIP]: () => gzip,
  [Types.Snappy]: () => snappy,
  [Types.LZ4]: () => lz4,
  [Types.ZSTD]: () => zstd,
})
