import { describe, expect, test } from '@jest/globals'
import { createMetrics, timed } from '../../../src/operate/metrics.ts'

describe('metrics', () => {
  test('start at zero where the label values are known', async () => {
    const text = await createMetrics().registry.metrics()
    for (const line of [
      'pm_documents_total{result="inserted"} 0',
      'pm_observations_total{result="older"} 0',
      'pm_status_updates_total{type="changed"} 0',
      'pm_lanes{state="failed"} 0',
      'pm_restored_records_total 0',
    ]) {
      expect(text.split('\n')).toContain(line)
    }
    expect(text).toMatch(/^pm_build_info\{version="\d+\.\d+\.\d+[^"]*"\} 1$/m)
    expect(text).toMatch(/^process_cpu_seconds_total/m)
  })

  test('do not share state between two sets', async () => {
    const [one, two] = [createMetrics(), createMetrics()]
    one.documents.inc({ result: 'inserted' }, 5)
    expect((await two.documents.get()).values.find(({ labels }) => labels.result === 'inserted')?.value).toBe(0)
  })

  test('time a step also when it fails', async () => {
    const metrics = createMetrics()
    await expect(timed(metrics, 'ingest', 'write', () => Promise.reject(new Error('away')))).rejects.toThrow('away')
    expect(await timed(metrics, 'ingest', 'write', () => 7)).toBe(7)
    const text = await metrics.registry.metrics()
    expect(text).toContain('pm_step_duration_seconds_count{stage="ingest",step="write"} 2')
  })

  test('follow the naming conventions of Prometheus', async () => {
    const own = (await createMetrics().registry.getMetricsAsJSON()).filter(({ name }) => name.startsWith('pm_'))
    expect(own.length).toBeGreaterThan(10)
    for (const { name, type, help } of own) {
      expect(name).toMatch(/^pm_[a-z_]+$/)
      expect(name.endsWith('_total')).toBe(String(type) === 'counter')
      expect(help).toMatch(/\.$/)
    }
  })
})
