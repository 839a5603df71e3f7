import type { CommandStartedEvent, MongoClient } from 'mongodb'
import { type OpenSpan, type SpanStart, type Tracing, typeOf } from '../operate/tracing.ts'

/** Each command that the driver sends for what is under way becomes a span, by OpenTelemetry's conventions for MongoDB. */
export function traceCommands(client: MongoClient, tracing: Tracing): void {
  /** By the driver's own number of a request. */
  const open = new Map<number, OpenSpan>()
  const take = (id: number): OpenSpan | undefined => {
    const span = open.get(id)
    open.delete(id)
    return span
  }
  client.on('commandStarted', (event) => {
    const span = tracing.open(startOf(event))
    if (span !== null) open.set(event.requestId, span)
  })
  client.on('commandSucceeded', ({ requestId, reply }) => {
    const span = take(requestId)
    const [first] = (reply as { writeErrors?: { code?: unknown }[] }).writeErrors ?? []
    if (first !== undefined) span?.set({ 'db.response.status_code': String(first.code) })
    span?.end()
  })
  client.on('commandFailed', ({ requestId, failure }) => {
    const span = take(requestId)
    const { code } = failure as { code?: unknown }
    if (typeof code === 'number') span?.set({ 'db.response.status_code': String(code) })
    span?.fail(typeOf(failure))
    span?.end()
  })
}

function startOf({ commandName, databaseName, command, address }: CommandStartedEvent): SpanStart {
  const named = commandName === 'getMore' ? command.collection : command[commandName]
  const collection = typeof named === 'string' ? named : undefined
  const { length: statements = 0 } = command.documents ?? command.updates ?? []
  const [, host, port] = /^(.*):(\d+)$/.exec(address) ?? []
  return {
    name: collection === undefined ? commandName : `${commandName} ${collection}`,
    kind: 'client',
    attributes: {
      'db.system.name': 'mongodb',
      'db.namespace': databaseName,
      'db.operation.name': commandName,
      ...(collection !== undefined && { 'db.collection.name': collection }),
      ...(statements > 1 && { 'db.operation.batch.size': statements }),
      ...(host !== undefined && { 'server.address': host, 'server.port': Number(port) }),
    },
  }
}
