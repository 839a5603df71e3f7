/** The largest document that MongoDB stores, bytes of BSON. */
export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
/** Most bytes of the statements of one command, well below the 48 MB that a message may have. */
const MAX_COMMAND_BYTES = 16_000_000
const MAX_COMMAND_DOCUMENTS = 5_000

/** Cuts items into commands by count and by bytes, in order. */
export function* packs<Item extends { bytes: number }>(items: readonly Item[]): Generator<Item[]> {
  let pack: Item[] = []
  let total = 0
  for (const item of items) {
    if (pack.length > 0 && (pack.length === MAX_COMMAND_DOCUMENTS || total + item.bytes > MAX_COMMAND_BYTES)) {
      yield pack
      pack = []
      total = 0
    }
    pack.push(item)
    total += item.bytes
  }
  if (pack.length > 0) yield pack
}
