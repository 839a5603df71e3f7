import { readFileSync } from 'node:fs'
import { NAMES, type Name, VARIABLES, type Values, type Variable } from './variables.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** One bad setting. `example` is a line that would be right. */
export interface Problem {
  readonly name: string
  /** Completes the sentence "NAME …"; quotes no secret. */
  readonly problem: string
  readonly example: string
}

/** Where the text of a setting came from. */
export type Origin = 'default' | 'environment' | 'file' | 'unset'
export interface Found {
  readonly text: string | null
  readonly origin: Origin
}

export interface Reading {
  /** Values of the settings that are right; the wrong ones are missing. */
  readonly values: Partial<Values>
  readonly found: Map<Name, Found>
  readonly problems: Problem[]
}

export const problemOf = (name: Name, problem: string): Problem => ({
  name,
  problem,
  example: `${name}=${VARIABLES[name].example}`,
})

/** A secret's file ends in a line break more often than not; the secret does not. */
function readSecret(name: Name, file: string): Found | Problem {
  try {
    return { text: readFileSync(file, 'utf8').replace(/\r?\n$/, ''), origin: 'file' }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error)
    const example = `${name}_FILE=/run/secrets/${name.toLowerCase()}`
    return { name: `${name}_FILE`, problem: `names ${JSON.stringify(file)}, which cannot be read (${code})`, example }
  }
}

/** Blank counts as not set: that is what Compose and Helm give for a value left out. */
function find(name: Name, variable: Variable<unknown>, env: Environment): Found | Problem {
  const own = variable.shown === 'hidden' ? env[name] : env[name]?.trim()
  const file = variable.fromFile ? env[`${name}_FILE`]?.trim() : undefined
  if (own && file) return problemOf(name, `and ${name}_FILE are both set; keep one of them`)
  if (own) return { text: own, origin: 'environment' }
  if (file) return readSecret(name, file)
  return variable.fallback === null ? { text: null, origin: 'unset' } : { text: variable.fallback, origin: 'default' }
}

/** Reads every variable by itself; what they must be together is for `rules.ts`. */
export function readEnvironment(env: Environment): Reading {
  const values: Record<string, unknown> = {}
  const found = new Map<Name, Found>()
  const problems: Problem[] = []
  for (const name of NAMES) {
    const variable: Variable<unknown> = VARIABLES[name]
    const at = find(name, variable, env)
    if ('problem' in at) {
      problems.push(at)
      continue
    }
    found.set(name, at)
    const parsed =
      at.text === null ? { value: null } : at.text === '' ? { problem: 'is empty' } : variable.format(at.text)
    if ('problem' in parsed) problems.push(problemOf(name, parsed.problem))
    else values[name] = parsed.value
  }
  return { values: values as Partial<Values>, found, problems }
}
