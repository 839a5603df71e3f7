import { connect, isIP } from 'node:net'
import { connect as connectSecurely } from 'node:tls'
import type { ISocketFactory, Kafka } from 'kafkajs'
import type { Logger } from 'pino'
import { kafkaLogCreator } from '../operate/log.ts'
import type { Settings } from '../settings.ts'
import { kafkajs } from './kafkajs.ts'

/**
 * The one Kafka client of a process. kafkajs's own lines go to `log`; retries are short, since callers wait outages out.
 * With none, an error is known at once.
 */
export function createKafka(settings: Settings['kafka'], log: Logger, retries = 6): Kafka {
  return new kafkajs.Kafka({
    brokers: settings.brokers,
    clientId: settings.clientId,
    ssl: settings.ssl,
    ...(settings.sasl && { sasl: settings.sasl }),
    connectionTimeout: 3_000,
    requestTimeout: 30_000,
    enforceRequestTimeout: true,
    retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries },
    socketFactory,
    logLevel: kafkajs.logLevel.INFO,
    logCreator: kafkaLogCreator(log),
  })
}

const KEEP_ALIVE_MS = 60_000

/**
 * As kafkajs's own, but without Nagle's algorithm, which may keep the end of a request back until its beginning is
 * acknowledged.
 */
const socketFactory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const byName = isIP(host) === 0 ? { servername: host } : {}
  const socket = ssl
    ? connectSecurely({ host, port, ...byName, ...ssl }, onConnect)
    : connect({ host, port }, onConnect)
  return socket.setKeepAlive(true, KEEP_ALIVE_MS).setNoDelay(true)
}
