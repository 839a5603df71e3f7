import type { Kafka } from 'kafkajs'
import type { Logger } from 'pino'
import { kafkaLogCreator } from '../operate/log.ts'
import type { Settings } from '../settings.ts'
import { kafkajs } from './kafkajs.ts'

/** The one Kafka client of a process. kafkajs's own lines go to `log`; retries are short, since callers wait outages out. */
export function createKafka(settings: Settings['kafka'], log: Logger): Kafka {
  return new kafkajs.Kafka({
    brokers: settings.brokers,
    clientId: settings.clientId,
    ssl: settings.ssl,
    ...(settings.sasl && { sasl: settings.sasl }),
    connectionTimeout: 3_000,
    requestTimeout: 30_000,
    enforceRequestTimeout: true,
    retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 6 },
    logLevel: kafkajs.logLevel.INFO,
    logCreator: kafkaLogCreator(log),
  })
}
