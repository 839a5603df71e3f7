/**
 * Loaded into a processor before its own code (`node --import`, see `atPoint`): watches what it says to Kafka and MongoDB,
 * and acts at one point. It looks at the bytes of the connections, so it depends on no client's inner parts.
 */
import { Socket } from 'node:net'
import { type Act, POINTS, type Point, type PointName } from './points.ts'

const env = process.env
const act = env.AT_ACT as Act
const point: Point = POINTS[env.AT_POINT as PointName]
const name = Buffer.from(`${env[point.names[0]]}${point.names[1] ?? ''}`)
const kafkaPorts = new Set((env.KAFKA_BROKERS ?? '').split(',').map((broker) => Number(broker.split(':')[1])))
const isKafka = typeof point.request === 'number'
/** Passages still to come, the one to act on included. */
let passages = Number(env.AT_PASSAGE)

/** Per connection: the ids of the requests whose answers are waited for, and how far the answers were read. */
interface Watched {
  waiting: Set<number>
  header: Buffer
  skip: number
}
const watched = new WeakMap<Socket, Watched>()

const { write, emit } = Socket.prototype

Socket.prototype.write = function (this: Socket, ...args: unknown[]): boolean {
  const [data] = args
  if (passages > 0 && Buffer.isBuffer(data) && speaksOf(this) && matches(data)) {
    if (point.when === 'before') {
      if (passes(this)) return false
    } else watchedOf(this).waiting.add(isKafka ? data.readInt32BE(8) : data.readInt32LE(4))
  }
  return (write as (...given: unknown[]) => boolean).apply(this, args)
} as typeof write

Socket.prototype.emit = function (this: Socket, ...args: unknown[]): boolean {
  if (passages > 0 && args[0] === 'data' && speaksOf(this) && answers(this, args[1] as Buffer)) return false
  return (emit as (...given: unknown[]) => boolean).apply(this, args)
} as typeof emit

const speaksOf = ({ remotePort }: Socket) => remotePort !== undefined && kafkaPorts.has(remotePort) === isKafka

function matches(request: Buffer): boolean {
  if (typeof point.request === 'number') {
    if (request.length < 12 || request.readInt16BE(4) !== point.request) return false
    return request.includes(name) && (!point.commits || request.at(-1) === 1)
  }
  // OP_MSG: header of 16 bytes, flags, kind of section, length of the document, type of its first field, and its name.
  if (request.length < 27 || request.readInt32LE(12) !== 2013 || request[20] !== 0) return false
  const command = request.toString('latin1', 26, request.indexOf(0, 26))
  return point.request.includes(command) && request.includes(name)
}

function watchedOf(socket: Socket): Watched {
  const watching = watched.get(socket) ?? { waiting: new Set(), header: Buffer.alloc(0), skip: 0 }
  watched.set(socket, watching)
  return watching
}

/** Whether the answer that is waited for begins in these bytes, and the point was acted on in a way that hides it. */
function answers(socket: Socket, bytes: Buffer): boolean {
  const watching = watchedOf(socket)
  const headerBytes = isKafka ? 8 : 16
  for (let at = 0; at < bytes.length; ) {
    if (watching.skip > 0) {
      const skipped = Math.min(watching.skip, bytes.length - at)
      watching.skip -= skipped
      at += skipped
      continue
    }
    const part = bytes.subarray(at, at + headerBytes - watching.header.length)
    at += part.length
    const header = Buffer.concat([watching.header, part])
    watching.header = header
    if (header.length < headerBytes) return false
    watching.header = Buffer.alloc(0)
    watching.skip = (isKafka ? header.readInt32BE(0) + 4 : header.readInt32LE(0)) - headerBytes
    const id = isKafka ? header.readInt32BE(4) : header.readInt32LE(8)
    if (watching.waiting.delete(id) && passes(socket)) return true
  }
  return false
}

/** One passage of the point. True when the bytes in question must go no further. */
function passes(socket: Socket): boolean {
  if (--passages > 0) return false
  if (act === 'lose') socket.destroy()
  else process.kill(process.pid, act === 'kill' ? 'SIGKILL' : 'SIGSTOP')
  return act !== 'freeze'
}
