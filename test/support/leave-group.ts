import { connect } from 'node:net'

const LEAVE_GROUP = 13
const NOT_COORDINATOR = 16
const TIMEOUT_MS = 5_000

/**
 * Tells Kafka that a member has left its group, as the member itself would. For one that was killed: else its partitions
 * wait for the end of its session.
 */
export async function leaveGroup(brokers: string, groupId: string, memberId: string): Promise<void> {
  const request = framed(
    Buffer.concat([int16(LEAVE_GROUP), int16(0), int32(1), int16(-1), text(groupId), text(memberId)]),
  )
  // Only the coordinator takes it; the others say so.
  const codes = await Promise.allSettled(brokers.split(',').map((broker) => ask(broker, request)))
  const isTaken = codes.some((code) => code.status === 'fulfilled' && code.value !== NOT_COORDINATOR)
  if (!isTaken) throw new Error(`No broker could take ${memberId} out of ${groupId}`)
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

const text = (value: string) => Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)])
const framed = (body: Buffer) => Buffer.concat([int32(body.length), body])

/** The error code of the answer: behind its length and the number of the request. */
function ask(broker: string, request: Buffer): Promise<number> {
  const [host, port] = broker.split(':') as [string, string]
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), timeout: TIMEOUT_MS })
    let answer = Buffer.alloc(0)
    socket.once('connect', () => socket.write(request))
    socket.on('data', (bytes) => {
      answer = Buffer.concat([answer, bytes])
      if (answer.length < 10) return
      socket.destroy()
      resolve(answer.readInt16BE(8))
    })
    socket.once('timeout', () => socket.destroy(new Error(`${broker} does not answer`)))
    socket.once('error', reject)
    socket.once('close', () => reject(new Error(`${broker} closed the connection`)))
  })
}
