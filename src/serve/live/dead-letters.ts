/** Dead letters by reason, for a page: of the newest in the topic, and of those that come. Values are not looked at. */
import type { Kafka } from 'kafkajs'
import type { DeadLetterReport } from '../../contract/api.ts'
import { DEAD_LETTER_HEADERS, DEAD_LETTER_REASONS, type DeadLetterReason } from '../../contract/dead-letter.ts'
import { needing } from '../../stream/denied.ts'
import { createFetcher } from '../../stream/fetch.ts'
import { follow } from '../../stream/follow.ts'

export interface DeadLetters {
  report(): DeadLetterReport
  run(signal: AbortSignal): Promise<void>
}

/** Of each partition that are there at the start. */
const MOST_AT_START = 5_000n
const MOST_SHOWN = 50

export function createDeadLetters(kafka: Kafka, topic: string): DeadLetters {
  const byReason: Partial<Record<DeadLetterReason, number>> = {}
  const newest: (DeadLetterReport['newest'][number] & { time: number })[] = []
  let total = 0

  function add(headers: Record<string, string>, timestamp: string): void {
    const reason = DEAD_LETTER_REASONS.find((one) => one === headers[DEAD_LETTER_HEADERS.reason]) ?? 'unexpected'
    byReason[reason] = (byReason[reason] ?? 0) + 1
    total++
    const time = Number(timestamp)
    if (newest.length === MOST_SHOWN && time < (newest.at(-1)?.time ?? 0)) return
    const { topic: from, partition, offset, message } = DEAD_LETTER_HEADERS
    const source = `${headers[from]}/${headers[partition]}/${headers[offset]}`
    newest.push({ time, at: new Date(time).toISOString(), reason, message: headers[message] ?? '', source })
    newest.sort((a, b) => b.time - a.time)
    newest.length = Math.min(newest.length, MOST_SHOWN)
  }

  return {
    report: () => ({ total, by_reason: byReason, newest: newest.map(({ time: _, ...letter }) => letter) }),
    async run(signal) {
      await follow({
        ...{ kafka, topic, signal, patient: true },
        positions: await needing({ operation: 'Read', on: 'topic', names: [topic] }, () =>
          newestPositions(kafka, topic),
        ),
        take(_, messages) {
          for (const { headers, timestamp } of messages) add(textsOf(headers), timestamp)
        },
      })
    },
  }
}

async function newestPositions(kafka: Kafka, topic: string): Promise<Map<number, bigint>> {
  const fetcher = createFetcher(kafka, topic)
  try {
    const positions = new Map<number, bigint>()
    for (const partition of await fetcher.partitions()) {
      const { low, high } = await fetcher.range(partition)
      positions.set(partition, high - low > MOST_AT_START ? high - MOST_AT_START : low)
    }
    return positions
  } finally {
    await fetcher.close()
  }
}

const textsOf = (headers: object | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]))
