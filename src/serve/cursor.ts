import { LAST_MS } from '../contract/iso-time.ts'

/** Where a page of a list ends: the time and the id of its last item. As text it means nothing to whoever sends it back. */
export interface Cursor {
  /** Epoch milliseconds. */
  at: number
  id: string
}

export const cursorText = ({ at, id }: Cursor): string => Buffer.from(`${at} ${id}`).toString('base64url')

/** Null when the text is none that was given. */
export function cursorOf(text: string): Cursor | null {
  const [, time, id] = /^(-?\d{1,15}) (.+)$/s.exec(Buffer.from(text, 'base64url').toString()) ?? []
  if (time === undefined || id === undefined) return null
  const at = Number(time)
  return Math.abs(at) > LAST_MS ? null : { at, id }
}
