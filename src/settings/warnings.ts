import type { Environment } from './environment.ts'
import { isLoopback } from './loopback.ts'
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

/** Passwords that whoever is on the way can read. */
function inTheClear(values: Values): string[] {
  const found: string[] = []
  const brokers = values.KAFKA_BROKERS ?? []
  const isFar = brokers.some((broker) => !isLoopback(broker.slice(0, broker.lastIndexOf(':'))))
  if (values.KAFKA_SASL_MECHANISM === 'plain' && !values.KAFKA_SSL && isFar) {
    found.push('KAFKA_SASL_MECHANISM is plain without KAFKA_SSL: the password crosses the network in the clear')
  }
  if (values.SCHEMA_REGISTRY_PASSWORD !== null && isFarHttp(values.SCHEMA_REGISTRY_URL)) {
    found.push('SCHEMA_REGISTRY_URL is an http:// address: the password crosses the network in the clear')
  }
  if (values.OTEL_EXPORTER_OTLP_HEADERS !== null && isFarHttp(values.OTEL_EXPORTER_OTLP_ENDPOINT)) {
    found.push('OTEL_EXPORTER_OTLP_ENDPOINT is an http:// address: the headers for it cross the network in the clear')
  }
  return found
}

function isFarHttp(address: string | null): boolean {
  if (address === null) return false
  const { protocol, hostname } = new URL(address)
  return protocol === 'http:' && !isLoopback(hostname)
}

/** What is allowed but probably not wanted; one sentence each, without values. */
export function warnings(env: Environment, values: Values): string[] {
  const found = [...slips(env), ...inTheClear(values)]
  if (values.CARD_TOKEN_KEY === null) {
    found.push('CARD_TOKEN_KEY is not set: card numbers are masked, so find({ card }) finds no single card')
  } else if (values.CARD_TOKEN_KEY.some((key) => key.length < 16)) {
    found.push('CARD_TOKEN_KEY has a key of fewer than 16 characters: card tokens made with it can be guessed')
  }
  return found
}
