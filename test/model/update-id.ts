import { createHash } from 'node:crypto'

/** Namespace of the ids of status updates; part of the interface, since an id must stay the same for ever. */
const NAMESPACE = Buffer.from('6f1d8a8e2f0b4c5d9d3f5a1c7be0c0de', 'hex')

/** UUIDv5 of the JSON list of key, kind, event id, observed time and status. */
export function updateId(key: string, kind: string, eventId: string, occurredAt: string, status: string): string {
  const name = JSON.stringify([key, kind, eventId, occurredAt, status])
  const bytes = createHash('sha1').update(NAMESPACE).update(name, 'utf8').digest().subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(6) % 16) + 0x50, 6)
  bytes.writeUInt8((bytes.readUInt8(8) % 64) + 0x80, 8)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
