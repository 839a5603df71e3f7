import { describe, expect, test } from '@jest/globals'
import { oneLine, readingOf, table } from '../../../local/dashboard.ts'
import { parseSamples, total } from '../../../local/scrape.ts'

const page = (records: number) => `# HELP pm_records_consumed_total Kafka records read by a stage.
# TYPE pm_records_consumed_total counter
pm_records_consumed_total{stage="ingest",topic="parkmobile.events"} ${records}
pm_records_consumed_total{stage="ingest",topic="parkmobile.responses"} 50
pm_records_consumed_total{stage="status",topic="parkmobile.observations"} 7000
pm_documents_total{result="inserted"} 90
pm_documents_total{result="updated"} 20
pm_documents_total{result="unchanged"} 5
pm_documents_total{result="tombstone"} 1
pm_status_updates_total{type="changed"} 60
pm_status_updates_total{type="confirmed"} 6
pm_dead_letters_total{reason="invalid_json"} 2
pm_dead_letters_total{reason="too_deep"} 1
pm_consumer_lag_records{group="g",topic="a",partition="0"} 3
pm_consumer_lag_records{group="g",topic="a",partition="1"} 1.2e+3
`

describe('a metrics page', () => {
  test('is read sample by sample, with labels that hold quotes and braces', () => {
    expect(parseSamples('up 1\nx{a="say \\"hi\\" {now}",b="2"} 4.5 1700000000000\n# x 3\n')).toEqual([
      { name: 'up', labels: {}, value: 1 },
      { name: 'x', labels: { a: 'say \\"hi\\" {now}', b: '2' }, value: 4.5 },
    ])
  })

  test('is summed over the samples that carry the labels asked for', () => {
    const samples = parseSamples(page(100))
    expect(total(samples, 'pm_records_consumed_total', { stage: 'ingest' })).toBe(150)
    expect(total(samples, 'pm_documents_total', { result: ['inserted', 'updated'] })).toBe(110)
    expect(total(samples, 'pm_no_such_total')).toBe(0)
  })
})

describe('the dashboard', () => {
  const before = readingOf(parseSamples(page(100)), 1_000)
  const now = readingOf(parseSamples(page(1_200)), 6_000)

  test('counts what came in once, and as written only what changed a document', () => {
    expect(now).toMatchObject({ records: 1_250, documents: 111, updates: 66, deadLetters: 3, lag: 1_203 })
  })

  test('shows rates between two readings, and none at first', () => {
    expect(table(now, before)[0]).toMatch(/records in +1,250 +220\/s$/)
    expect(table(now, null)[0]).toMatch(/records in +1,250$/)
  })

  test('says the same on one line where there is no terminal', () => {
    expect(oneLine(now, before)).toBe(
      'records in 1,250 (220/s) | documents written 111 (0/s) | status updates out 66 (0/s) | dead letters 3 (0/s) | lag 1,203',
    )
  })
})
