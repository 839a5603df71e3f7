import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net'
import { BSON, type Document, type Long } from 'mongodb'

/**
 * Stands in for `mongos`, before one mongod: to its clients it is a router of a sharded cluster, and it knows only the cursors that were
 * opened through it. It routes nothing. It keeps every command whole, as it came over the line, so a test can judge what a real
 * router would have to do with it.
 */
export interface Router extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly address: string
  readonly sent: Sent[]
  /** Cursors that were asked for and that were not opened here. */
  readonly strangers: string[]
}

export interface Sent {
  /** Of the command: `insert`, `find`, … */
  name: string
  database: string
  /** With the documents that came beside its body. */
  command: Document
}

/** @param mongod `host:port` */
export async function startRouter(mongod: string): Promise<Router> {
  const sent: Sent[] = []
  const strangers: string[] = []
  const cursors = new Set<string>()
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const [host, port] = mongod.split(':') as [string, string]
    const backend = dial(Number(port), host)
    const asked = new Map<number, string>()
    for (const [one, other] of [
      [client, backend],
      [backend, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy()).on('close', () => other.destroy())
    }
    onMessages(client, (message) => {
      const command = commandOf(message)
      const name = Object.keys(command)[0] as string
      if (!OF_THE_DRIVER.has(name)) sent.push({ name, database: command.$db, command })
      const cursor = idAskedFor(name, command)
      if (cursor !== null && !cursors.has(cursor)) {
        strangers.push(cursor)
        return client.write(notFound(message, cursor))
      }
      asked.set(message.readInt32LE(4), name)
      backend.write(message)
    })
    onMessages(backend, (message) => {
      const name = asked.get(message.readInt32LE(8)) ?? ''
      asked.delete(message.readInt32LE(8))
      if (name === 'aggregate' || name === 'find') {
        const id: Long | undefined = replyOf(message).cursor?.id
        if (id !== undefined && !id.isZero()) cursors.add(String(id))
      }
      client.write(HELLO.has(name) ? asRouter(message) : message)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ sent, strangers },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const HELLO = new Set(['hello', 'isMaster', 'ismaster'])
const OF_THE_DRIVER = new Set([...HELLO, 'endSessions'])

// https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/: length, request id, response to, operation.
const HEADER = 16
const OP_REPLY = 1
const OP_QUERY = 2004
const OP_MSG = 2013

/** Splits what comes into messages. */
function onMessages(socket: Socket, take: (message: Buffer) => void): void {
  let left: Buffer = Buffer.alloc(0)
  socket.on('data', (bytes) => {
    left = left.length === 0 ? bytes : Buffer.concat([left, bytes])
    while (left.length >= HEADER && left.length >= left.readInt32LE(0)) {
      const message = left.subarray(0, left.readInt32LE(0))
      left = left.subarray(message.length)
      take(message)
    }
  })
}

/** The body of a message, and what came beside it under its name. */
function commandOf(message: Buffer): Document {
  const operation = message.readInt32LE(12)
  if (operation === OP_QUERY) return BSON.deserialize(documentAt(message, message.indexOf(0, HEADER + 4) + 9))
  if (operation !== OP_MSG) throw new Error(`The stand-in does not know operation ${operation}`)
  const beside: Document = {}
  let body: Document = {}
  for (let at = HEADER + 4; at < message.length; ) {
    const kind = message[at++]
    const end = at + message.readInt32LE(at)
    if (kind === 0) body = BSON.deserialize(documentAt(message, at))
    else {
      const nameEnd = message.indexOf(0, at + 4)
      const documents: Document[] = []
      for (let place = nameEnd + 1; place < end; place += message.readInt32LE(place)) {
        documents.push(BSON.deserialize(documentAt(message, place)))
      }
      beside[message.toString('utf8', at + 4, nameEnd)] = documents
    }
    at = end
  }
  return { ...body, ...beside }
}

const documentAt = (message: Buffer, at: number) => message.subarray(at, at + message.readInt32LE(at))

const bodyAt = (message: Buffer) => (message.readInt32LE(12) === OP_REPLY ? HEADER + 20 : HEADER + 5)

const replyOf = (message: Buffer): Document =>
  BSON.deserialize(documentAt(message, bodyAt(message)), { promoteLongs: false, promoteValues: false })

/** The same message about another document. */
function withBody(message: Buffer, document: Document): Buffer {
  const whole = Buffer.concat([message.subarray(0, bodyAt(message)), BSON.serialize(document)])
  whole.writeInt32LE(whole.length, 0)
  return whole
}

/** What mongod says of itself, as a router says it. */
function asRouter(message: Buffer): Buffer {
  const { topologyVersion, setName, setVersion, hosts, primary, me, secondary, electionId, lastWrite, ...hello } =
    replyOf(message)
  return withBody(message, { ...hello, isWritablePrimary: true, ismaster: true, msg: 'isdbgrid' })
}

function idAskedFor(name: string, command: Document): string | null {
  if (name === 'getMore') return String(command.getMore)
  return name === 'killCursors' ? String(command.cursors[0]) : null
}

function notFound(request: Buffer, cursor: string): Buffer {
  const head = Buffer.alloc(HEADER + 5)
  head.writeInt32LE(request.readInt32LE(4), 8)
  head.writeInt32LE(OP_MSG, 12)
  return withBody(head, { ok: 0, code: 43, codeName: 'CursorNotFound', errmsg: `cursor id ${cursor} not found` })
}
