/** Counted differences, with the first few of each sort told in full. */
export interface Differences {
  add(sort: string, example: () => string): void
  readonly counts: Readonly<Record<string, number>>
  readonly examples: readonly string[]
}

const MOST_EXAMPLES = 4

/** @param sorts every sort there can be, so that a report says of each that there was none */
export function createDifferences(sorts: readonly string[]): Differences {
  const counts: Record<string, number> = Object.fromEntries(sorts.map((sort) => [sort, 0]))
  const examples: string[] = []
  return {
    counts,
    examples,
    add(sort, example) {
      counts[sort] = (counts[sort] ?? 0) + 1
      if ((counts[sort] ?? 0) <= MOST_EXAMPLES) examples.push(`${sort}: ${example()}`)
    },
  }
}

/** The places where two values differ, one a line, `path: expected … got …`; none when they are equal. */
export function diff(expected: unknown, actual: unknown, path = ''): string[] {
  if (Object.is(expected, actual)) return []
  if (isRecord(expected) && isRecord(actual) && Array.isArray(expected) === Array.isArray(actual)) {
    const names = new Set([...Object.keys(expected), ...Object.keys(actual)])
    return [...names].flatMap((name) => diff(expected[name], actual[name], path ? `${path}.${name}` : name))
  }
  return [`${path}: expected ${show(expected)}, got ${show(actual)}`]
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

export function show(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${inner}n` : inner))
  return text.length > 600 ? `${text.slice(0, 600)}…` : text
}
