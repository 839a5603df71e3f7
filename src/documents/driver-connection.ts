/**
 * The MongoDB driver (7.9.0) waits for ever where it writes to a socket that is gone already, which its connection learns a moment
 * later: such a write asks to wait for a 'drain' that never comes, and nobody ends that wait, nor does any time-out of the driver. It
 * happens when a member is killed just as a command begins. Here a connection that closes lets the wait end; what waited then finds
 * why it closed, as a command in flight does.
 */
import type { Socket } from 'node:net'
// @ts-expect-error the driver has no types for its inner modules.
import { Connection } from 'mongodb/lib/cmap/connection.js'

interface Closing {
  closed: boolean
  socket: Socket
}

const cleanup: (this: Closing, error: Error) => void = Connection.prototype.cleanup

Connection.prototype.cleanup = function (this: Closing, error: Error): void {
  if (this.closed) return
  cleanup.call(this, error)
  this.socket.emit('drain')
}
