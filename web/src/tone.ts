import type { Kind } from '../../src/contract/document.ts'

/**
 * The few meanings that colour has on this page: under way, wants attention, went wrong, is over, was taken back. Colour
 * never stands alone; the word is always beside it.
 */
export type Tone = 'going' | 'soon' | 'wrong' | 'over' | 'back' | 'plain'

const TONES: ReadonlyMap<string, Tone> = new Map(
  Object.entries({
    going: 'on-going success authorized captured completed paid open active ok',
    soon: 'alerted pending',
    wrong: 'failed declined',
    over: 'finished expired closed inactive',
    back: 'cancelled refunded voided',
  } satisfies Partial<Record<Tone, string>>).flatMap(([tone, words]) =>
    words.split(' ').map((word): [string, Tone] => [word, tone as Tone]),
  ),
)

/** Errors are wrong whatever their word is. A word that nobody told us about is plain. */
export function toneOf(word: string | null, kind?: Kind | 'tombstone'): Tone {
  if (kind === 'error') return 'wrong'
  if (kind === 'tombstone') return 'back'
  return (word !== null && TONES.get(word)) || 'plain'
}
