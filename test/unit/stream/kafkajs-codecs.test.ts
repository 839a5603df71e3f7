import { createRequire } from 'node:module'
import zlib from 'node:zlib'
import { expect, test } from '@jest/globals'
import { compressFrameSync } from 'lz4-napi'
import { compressSync } from 'snappy'
import '../../../src/stream/kafkajs.ts'

const { Codecs, Types } = createRequire(import.meta.url)('kafkajs/src/protocol/message/compression/index.js')
const decompress = (type: number, bytes: Buffer): Promise<Buffer> => Codecs[type]().decompress(bytes)
const text = Buffer.from('the same again and again '.repeat(10_000))
const tooMuch = Buffer.alloc(65 * 1024 * 1024)

/** As Java's clients write it: two blocks behind a header. */
const xerial = (...blocks: Buffer[]) =>
  Buffer.concat([
    Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]),
    ...blocks.flatMap((block) => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(block.length)
      return [length, block]
    }),
  ])
const snap = (bytes: Buffer) => compressSync(bytes)

test.each([
  ['gzip', Types.GZIP, zlib.gzipSync(text), zlib.gzipSync(tooMuch)],
  ['snappy', Types.Snappy, snap(text), snap(tooMuch)],
  [
    'snappy in blocks',
    Types.Snappy,
    xerial(snap(text.subarray(0, 70_000)), snap(text.subarray(70_000))),
    xerial(snap(tooMuch)),
  ],
  ['lz4', Types.LZ4, compressFrameSync(text), compressFrameSync(tooMuch)],
  ['zstd', Types.ZSTD, zlib.zstdCompressSync(text), zlib.zstdCompressSync(tooMuch)],
])('%s is read, and refused where it is too much or cut short', async (_, type, bytes, bomb) => {
  expect((await decompress(type, bytes)).equals(text)).toBe(true)
  await expect(decompress(type, bomb)).rejects.toMatchObject({ name: 'CompressionError' })
  await expect(decompress(type, bytes.subarray(0, -20))).rejects.toMatchObject({ name: 'CompressionError' })
  await expect(decompress(type, bytes.subarray(0, 18))).rejects.toMatchObject({ name: 'CompressionError' })
})
