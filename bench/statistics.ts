/** Of several rounds. */
export interface Spread {
  median: number
  min: number
  max: number
}

export function spread(values: number[]): Spread {
  return { median: quantile(values, 0.5), min: Math.min(...values), max: Math.max(...values) }
}

/** Between two values it interpolates. */
export function quantile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const low = sorted[Math.floor(at)] ?? Number.NaN
  return low + ((sorted[Math.ceil(at)] ?? low) - low) * (at % 1)
}

/** Ratios of rounds that ran after each other, so that a machine that slows down meanwhile slows both. */
export function ratios(above: number[], below: number[]): Spread {
  return spread(above.slice(0, below.length).map((value, round) => value / (below[round] as number)))
}
