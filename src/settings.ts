import type { ConnectionOptions } from 'node:tls'
import type { SASLOptions } from 'kafkajs'

/** The effective settings of a run; `readSettings` makes them from environment variables, the only reader of those. */
export interface Settings {
  kafka: {
    brokers: string[]
    clientId: string
    /** Prefix of the consumer groups `<groupId>-ingest` and `<groupId>-status`. */
    groupId: string
    ssl: false | ConnectionOptions
    sasl: SASLOptions | null
  }
  topics: {
    events: string[]
    responses: string[]
    observations: string
    status: string
    deadLetters: string
    /** Make what is missing at start. */
    create: boolean
  }
  mongodb: { uri: string; database: string; collection: string }
  registry: { url: string; username: string | null; password: string | null } | null
  stages: { ingest: boolean; status: boolean }
  retentionMs: number
  maxClockSkewMs: number
  /** Most records of a partition that one write and one offset commit cover. */
  chunkRecords: number
  stateDir: string | null
  http: { host: string; port: number }
  serve: { host: string; port: number }
  logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'
  cards: { tokenKey: string | null; exemptPaths: string[] }
}
