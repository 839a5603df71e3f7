import { UsageError } from '../command-line.ts'
import type { Letter } from './letter.ts'

/** Which dead letters are meant. */
export interface Choice {
  readonly reason: string | null
  /** Topic that the record came from. */
  readonly source: string | null
  /** Written at or after this, and before that; ISO 8601 as `Letter.time` has it. */
  readonly since: string | null
  readonly until: string | null
}

export const CHOICE_OPTIONS = {
  reason: { type: 'string' },
  source: { type: 'string' },
  since: { type: 'string' },
  until: { type: 'string' },
} as const

/** Reads the options of a choice. Throws UsageError. */
export function parseChoice(values: { [name in keyof typeof CHOICE_OPTIONS]?: string }): Choice {
  return {
    reason: values.reason ?? null,
    source: values.source ?? null,
    since: instant('--since', values.since),
    until: instant('--until', values.until),
  }
}

const AGO = /^(\d{1,6})([mhd])$/
const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** A time, or how long ago it was (`90m`, `24h`, `7d`). */
function instant(option: string, text: string | undefined): string | null {
  if (text === undefined) return null
  const [, count, unit] = AGO.exec(text) ?? []
  const time = unit ? Date.now() - Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS] : Date.parse(text)
  if (Number.isNaN(time)) {
    throw new UsageError(
      `${option} is '${text}', but must be a time such as 2026-01-31T12:00:00Z, or an age such as 24h`,
    )
  }
  return new Date(time).toISOString()
}

export function isChosen({ reason, time, source }: Letter, choice: Choice): boolean {
  return (
    (choice.reason === null || reason === choice.reason) &&
    (choice.source === null || source.topic === choice.source) &&
    (choice.since === null || time >= choice.since) &&
    (choice.until === null || time < choice.until)
  )
}

/** The options that make this choice, as one writes them in a shell. */
export function optionsOf(choice: Choice): string {
  const given = Object.entries(choice).filter((entry): entry is [string, string] => entry[1] !== null)
  return given
    .map(([name, value]) => `--${name} ${/^[\w.:-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`}`)
    .join(' ')
}
