/** One line of a Prometheus text page. */
export interface Sample {
  name: string
  labels: Record<string, string>
  value: number
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g

/** Reads the samples of a `/metrics` page. Throws when it does not answer within two seconds. */
export async function scrape(url: string): Promise<Sample[]> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) })
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  return parseSamples(await response.text())
}

export function parseSamples(page: string): Sample[] {
  return page.split('\n').flatMap((line) => {
    const match = LINE.exec(line)
    if (match === null) return []
    const [, name = '', labels = '', value = ''] = match
    const pairs = [...labels.matchAll(LABEL)].map(([, label = '', text = '']) => [label, text] as const)
    return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }]
  })
}

/** Sum of the samples of a name that carry these labels; a label may allow several values. */
export function total(samples: Sample[], name: string, labels: Record<string, string | string[]> = {}): number {
  return samples
    .filter((sample) => sample.name === name)
    .filter((sample) =>
      Object.entries(labels).every(([label, value]) => [value].flat().includes(sample.labels[label] ?? '')),
    )
    .reduce((sum, { value }) => sum + value, 0)
}
