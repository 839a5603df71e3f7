import type { Admin } from 'kafkajs'
import { quietKafka } from '../../local/quiet-kafka.ts'
import { until } from '../../local/until.ts'
import { kafkajs } from '../../src/stream/kafkajs.ts'
import type { RunNames } from './run-names.ts'

/** How far the processors of a run have come, from the offsets that their groups have committed. */
export interface Progress extends AsyncDisposable {
  /** Records of the input topics that ingest has not committed. */
  left(): Promise<number>
  /** Resolves when both groups have committed all there is. @throws after `timeoutMs` */
  caughtUp(timeoutMs: number): Promise<void>
  /** Members of both groups by client id, with how many partitions each has. */
  members(): Promise<{ groupId: string; clientId: string; memberId: string; partitions: number }[]>
  /** Deletes the topics and groups of the run. Its processors must have ended. */
  cleanUp(): Promise<void>
}

export async function watchProgress(brokers: string, names: RunNames): Promise<Progress> {
  const kafka = quietKafka(brokers, 'progress')
  const admin = kafka.admin()
  await admin.connect()
  const groups = [`${names.KAFKA_GROUP_ID}-ingest`, `${names.KAFKA_GROUP_ID}-status`]
  const inputs = [names.EVENTS_TOPICS, names.RESPONSES_TOPICS]
  // Who breaks Kafka wants to know all the same.
  const patient = async (look: () => Promise<number>) => {
    let left = 0
    const isKnown = async () => {
      left = await look()
      return true
    }
    await until(isKnown, { timeoutMs: 120_000, what: 'Kafka tells what is left', everyMs: 200 })
    return left
  }
  const left = () => patient(() => lag(admin, `${names.KAFKA_GROUP_ID}-ingest`, inputs))
  const observationsLeft = () => patient(() => lag(admin, `${names.KAFKA_GROUP_ID}-status`, [names.OBSERVATIONS_TOPIC]))
  return {
    left,
    // In this order: what ingest has committed is in the observations topic.
    caughtUp: async (timeoutMs) => {
      await until(async () => (await left()) === 0 && (await observationsLeft()) === 0, {
        timeoutMs,
        what: 'both groups have committed all records',
        everyMs: 200,
      })
    },
    members: () => membersOf(admin, groups),
    async cleanUp() {
      const topics = [...inputs, names.OBSERVATIONS_TOPIC, names.STATUS_TOPIC, names.DEAD_LETTER_TOPIC]
      const existing = await admin.listTopics()
      await admin.deleteTopics({ topics: topics.filter((topic) => existing.includes(topic)) })
      // Kafka counts a killed member for some seconds yet and then refuses; groups without topics expire by themselves.
      await admin.deleteGroups(groups).catch(() => undefined)
    },
    [Symbol.asyncDispose]: () => admin.disconnect(),
  }
}

async function lag(admin: Admin, groupId: string, topics: string[]): Promise<number> {
  const committed = await admin.fetchOffsets({ groupId, topics })
  let total = 0
  for (const topic of topics) {
    const offsets = committed.find((group) => group.topic === topic)?.partitions ?? []
    const done = new Map(offsets.map(({ partition, offset }) => [partition, Math.max(0, Number(offset))]))
    for (const { partition, high } of await admin.fetchTopicOffsets(topic)) {
      total += Number(high) - (done.get(partition) ?? 0)
    }
  }
  return total
}

async function membersOf(admin: Admin, groupIds: string[]) {
  const { groups } = await admin.describeGroups(groupIds)
  return groups.flatMap(({ groupId, members }) =>
    members.map(({ clientId, memberId, memberAssignment }) => {
      const assigned =
        memberAssignment.length > 0 ? kafkajs.AssignerProtocol.MemberAssignment.decode(memberAssignment) : null
      const partitions = Object.values(assigned?.assignment ?? {}).flat().length
      return { groupId, clientId, memberId, partitions }
    }),
  )
}
