import { withAdmin } from '../../local/quiet-kafka.ts'
import { createTopic } from '../../src/stream/topics.ts'
import type { RunNames } from './run-names.ts'

const INPUT = { 'message.timestamp.type': 'LogAppendTime' }
const STATUS = { 'cleanup.policy': 'compact', 'min.compaction.lag.ms': '86400000', 'segment.ms': '86400000' }

/**
 * Makes the input topics and the status topic of a run with few partitions, so that a few thousand records fill chunks of
 * every size; the program makes the others to match.
 */
export async function makeTopics(
  brokers: string,
  names: RunNames,
  { inputPartitions, lanes }: { inputPartitions: number; lanes: number },
): Promise<void> {
  await withAdmin(brokers, async (admin) => {
    for (const topic of [names.EVENTS_TOPICS, names.RESPONSES_TOPICS]) {
      await createTopic(admin, topic, inputPartitions, INPUT)
    }
    await createTopic(admin, names.STATUS_TOPIC, lanes, STATUS)
  })
}
