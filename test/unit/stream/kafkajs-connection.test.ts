import { once } from 'node:events'
import { createRequire } from 'node:module'
import { connect, type Socket } from 'node:net'
import { expect, test } from '@jest/globals'
import '../../../src/stream/kafkajs.ts'

const Connection = createRequire(import.meta.url)('kafkajs/src/network/connection.js')
const quiet = { namespace: () => quiet, debug() {}, info() {}, warn() {}, error() {} }
const NOBODY = { host: '127.0.0.1', port: 1 }

test('many that use one connection leave nothing at the socket of a broker that is away', async () => {
  const sockets: Socket[] = []
  const socketFactory = (at: { host: string; port: number; onConnect: () => void }) => {
    const socket = connect({ host: at.host, port: at.port }, at.onConnect)
    sockets.push(socket)
    return socket
  }
  const connection = new Connection({ ...NOBODY, logger: quiet, socketFactory, connectionTimeout: 1_000 })
  const use = () => connection.connect().catch(() => connection.disconnect())
  await Promise.all(Array.from({ length: 20 }, use))
  expect(sockets).toHaveLength(1)
  const [socket] = sockets as [Socket]
  if (!socket.closed) await once(socket, 'close')
  expect(socket.listenerCount('connect')).toBeLessThanOrEqual(2) // the one of the factory, and the first to let it go
})
