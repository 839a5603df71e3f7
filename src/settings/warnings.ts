import type { Environment } from './environment.ts'
import { NAMES, VARIABLES, type Values } from './variables.ts'

/** Fewest single-character edits between two names, given up once above `most`. */
function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? most + 1
}

function slips(env: Environment): string[] {
  const known = NAMES.flatMap((name) => (VARIABLES[name].fromFile ? [name, `${name}_FILE`] : [name]))
  return Object.keys(env).flatMap((name) => {
    if (env[name] === undefined || known.includes(name)) return []
    const meant = known.find((k) => distance(name, k, 2) <= 2)
    return meant === undefined ? [] : [`${name} is not a setting; ${meant} may be meant`]
  })
}

/** What is allowed but probably not wanted; one sentence each, without values. */
export function warnings(env: Environment, values: Values): string[] {
  const found = slips(env)
  if (values.CARD_TOKEN_KEY === null) {
    found.push('CARD_TOKEN_KEY is not set: card numbers are masked, so find({ card }) finds no single card')
  } else if (values.CARD_TOKEN_KEY.some((key) => key.length < 16)) {
    found.push('CARD_TOKEN_KEY has a key of fewer than 16 characters: card tokens made with it can be guessed')
  }
  return found
}
