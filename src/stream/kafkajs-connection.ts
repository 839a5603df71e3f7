/**
 * kafkajs 2.2.4 opens a broken connection again with what it had of the answer that broke off: everything after it is
 * read at the wrong place, so that requests fail or wait until the process ends. Here a connection begins anew: without
 * old bytes, and without the old socket, which could still bring some. And two requests at once open one socket, where
 * kafkajs opens two and listens to both. Where that fails, each of them lets the socket go that is gone
 * already, which leaves a listener at it each time, and Node warns of many: here nothing is let go then.
 */
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import './kafkajs-produce.ts'

interface Opened {
  chunks: Buffer[]
  bytesBuffered: number
  bytesNeeded: number
  socket?: Socket
  opening?: Promise<boolean> | undefined
  isConnected(): boolean
}

/** Bytes of the length that an answer begins with. */
const LENGTH_BYTES = 4

// Loaded here and not by an import, so that what is replaced in kafkajs is replaced before.
const Connection = createRequire(import.meta.url)('kafkajs/src/network/connection.js')
const connect: (this: Opened) => Promise<boolean> = Connection.prototype.connect
const disconnect: (this: Opened) => Promise<boolean> = Connection.prototype.disconnect

Connection.prototype.connect = function (this: Opened): Promise<boolean> {
  if (this.isConnected()) return connect.call(this)
  this.opening ??= openAnew(this).finally(() => {
    this.opening = undefined
  })
  return this.opening
}

Connection.prototype.disconnect = function (this: Opened): Promise<boolean> {
  const { socket } = this
  if (socket?.destroyed) socket.unref = () => socket
  return disconnect.call(this)
}

async function openAnew(connection: Opened): Promise<boolean> {
  connection.socket?.destroy()
  connection.chunks = []
  connection.bytesBuffered = 0
  connection.bytesNeeded = LENGTH_BYTES
  return connect.call(connection)
}
