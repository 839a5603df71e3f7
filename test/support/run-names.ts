import { randomBytes } from 'node:crypto'

/** Names of one run's own topics, groups and database, so that runs on shared services do not meet. */
export interface RunNames {
  KAFKA_GROUP_ID: string
  EVENTS_TOPICS: string
  RESPONSES_TOPICS: string
  OBSERVATIONS_TOPIC: string
  STATUS_TOPIC: string
  DEAD_LETTER_TOPIC: string
  MONGODB_DATABASE: string
  MONGODB_COLLECTION: string
}

export function newRunNames(what: string): RunNames {
  const run = `${what}-${randomBytes(4).toString('hex')}`
  return {
    KAFKA_GROUP_ID: run,
    EVENTS_TOPICS: `${run}.events`,
    RESPONSES_TOPICS: `${run}.responses`,
    OBSERVATIONS_TOPIC: `${run}.observations`,
    STATUS_TOPIC: `${run}.status`,
    DEAD_LETTER_TOPIC: `${run}.dead-letters`,
    MONGODB_DATABASE: run,
    MONGODB_COLLECTION: 'pm_parking_events',
  }
}
