import { pino } from 'pino'
import { openHeadsOnDisk } from '../../src/status/heads/disk.ts'
import { head, mark } from './heads-example.ts'

/** Puts heads, a hundred at a time, until the disk takes no more; then prints what was said, as JSON. Argument: STATE_DIR. */
const stateDir = process.argv[2] as string
const heads = openHeadsOnDisk({ stateDir, topic: 'updates', partition: 0, log: pino({ level: 'silent' }) })
let put = 0
try {
  for (; put < 100_000; put += 100) {
    heads.put(
      Array.from({ length: 100 }, (_, i) => [`session ${put + i}`, head(1)]),
      mark(put + 99),
    )
  }
} catch (error) {
  const { name, message, isDamaged } = error as Error & { isDamaged: boolean }
  process.stdout.write(JSON.stringify({ put, name, message, isDamaged, mark: Number(heads.mark?.offset) }))
}
heads.close()
