/** The text of server-sent events. */
import { type Filter, type Item, isWanted, jsonFor } from './item.ts'
import { moveTo, type Position, positionText } from './position.ts'

export const frameOf = (id: string, json: string): string => `id: ${id}\nevent: status\ndata: ${json}\n\n`

/** Shows that somebody is there. */
export const BEAT = Buffer.from(': still here\n\n')

/** The same, with an id and no data: it moves the reader's position and is shown to nobody. */
export const beatAt = (position: Position): Buffer => Buffer.from(`: still here\nid: ${positionText(position)}\n\n`)

const noteOf = (event: string, reason: string) =>
  Buffer.from(`event: ${event}\ndata: ${JSON.stringify({ reason })}\n\n`)

export const RESET = noteOf('reset', 'The position is not in the topic any more; the stream begins now')

export const droppedFor = (reason: string): Buffer => noteOf('dropped', reason)

/**
 * Frames of those items that are wanted, until there are so many characters. `own`, the position of one reader, moves on with
 * them, and over what is not wanted.
 */
export function framesOf(items: readonly Item[], own: number[], filter: Filter, mostCharacters: number) {
  let frames = ''
  let taken = 0
  for (; taken < items.length && frames.length < mostCharacters; taken++) {
    const item = items[taken] as Item
    moveTo(own, item.partition, item.offset + 1)
    if (isWanted(item, filter)) frames += frameOf(positionText(own), jsonFor(item, filter))
  }
  return { frames: Buffer.from(frames), isAll: taken === items.length }
}
