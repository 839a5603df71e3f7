import { expect, test } from '@jest/globals'
import { until } from '../../local/until.ts'
import { blocksOf, expectShown, runBlocks, Terminal } from '../support/page-commands.ts'

const START_MS = 240_000

/** The packages that this test itself runs on stay where they are. */
const withoutInstall = (text: string): string => text.replace('npm ci && ', '')

test('the first ten minutes are as docs/tutorial.md tells', async () => {
  const [start, shown, ...rest] = blocksOf('docs/tutorial.md')
  expect(start?.text).toContain('npm ci && npm start')
  await using first = new Terminal()
  await using second = new Terminal()
  first.start(withoutInstall(start?.text ?? ''))
  const table = () => /dead letters +[\d,]+/.test(first.output)
  await until(table, { timeoutMs: START_MS, what: 'npm start shows what it does' }).catch((error) => {
    throw new Error(`${error.message}\n${first.output}`)
  })
  expectShown(first.output, shown?.text ?? '')
  const [exported = ''] = /export KAFKA_BROKERS=.*/.exec(first.output) ?? []
  await second.run(exported)
  await runBlocks(rest, second)
  await first.stop()
  expect(first.output).toMatch(/Stopping/)
}, 400_000)
