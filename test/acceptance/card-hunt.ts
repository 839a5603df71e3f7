import { parseArgs } from 'node:util'
import { build } from '../../local/build.ts'
import { startServices } from '../../local/services.ts'
import { huntForCards } from '../support/card-hunt.ts'

/**
 * Hides card numbers wherever a record can hold one, in JSON and in Avro, and looks for them in all that is written. Exits
 * with 1 where one is found.
 *
 *     node test/acceptance/card-hunt.ts --records 100000 --seed autumn
 */
const { values } = parseArgs({
  options: { records: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } },
})
const say = (line: string) => {
  process.stdout.write(`${line}\n`)
}

await build(say)
await using services = await startServices({ registry: true, fresh: true, progress: say })
const hunt = await huntForCards(services, Number(values.records), values.seed)
say(`${hunt.records} records, ${hunt.avro} of them in Avro, hid ${hunt.cards} card numbers`)
say(`${hunt.avroDocuments} documents came of Avro`)
for (const [where, bytes] of Object.entries(hunt.searched)) say(`${String(bytes).padStart(12)} bytes of ${where}`)
say(`${hunt.harmed} of ${hunt.ids} ids of 13 to 19 digits were taken for card numbers`)
say(`${hunt.found.length} card numbers found`)
for (const [where, found] of Object.entries(Object.groupBy(hunt.found, (one) => one)))
  say(`${String(found?.length).padStart(12)} in ${where}`)
process.exitCode = hunt.found.length === 0 ? 0 : 1
