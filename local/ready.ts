import { connect } from 'node:net'
import { MongoClient } from 'mongodb'
import { createConnection } from 'mysql2/promise'

// One look each at whether a service answers, for `until`. They throw or give false when it does not yet.

// Metadata request, version 1, of no topics: api key, version, correlation id, client id (none), topics.
const METADATA = Buffer.from('0000000e' + '0003' + '0001' + '00000001' + 'ffff' + '00000000', 'hex')
/** Where its answer tells how many brokers are in service: after length and correlation id. */
const BROKERS_AT = 8

/** True when the broker answers and knows itself, or another, in service. A client for one number would be too much. */
export function kafkaAnswers(address: string): Promise<boolean> {
  const [host, port] = address.split(':') as [string, string]
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: 2_000 })
    let answer = Buffer.alloc(0)
    const end = (value: boolean) => {
      socket.destroy()
      resolve(value)
    }
    socket.once('connect', () => socket.write(METADATA))
    socket.on('data', (bytes) => {
      answer = Buffer.concat([answer, bytes])
      if (answer.length >= BROKERS_AT + 4) end(answer.readInt32BE(BROKERS_AT) > 0)
    })
    socket.once('close', () => end(false))
    socket.once('timeout', () => end(false))
    socket.once('error', () => end(false))
  })
}

/** True when a primary takes writes. With `initiate`, a new node first becomes a replica set of its own. */
export async function mongodbAnswers(address: string, initiate?: { replicaSet: string }): Promise<boolean> {
  const client = new MongoClient(`mongodb://${address}/?directConnection=true`, { serverSelectionTimeoutMS: 1_000 })
  try {
    const admin = client.db('admin')
    const hello = await admin.command({ hello: 1 })
    if (hello.isreplicaset === true && initiate) {
      const members = [{ _id: 0, host: address }]
      await admin.command({ replSetInitiate: { _id: initiate.replicaSet, members } })
    }
    return hello.isWritablePrimary === true && typeof hello.setName === 'string'
  } finally {
    await client.close()
  }
}

/** True when the registry lists its subjects over the Confluent API. */
export async function registryAnswers(url: string): Promise<boolean> {
  const response = await fetch(`${url}/subjects`, { signal: AbortSignal.timeout(2_000) })
  await response.body?.cancel()
  return response.ok
}

/** True when the user of this URI is let in and answered. */
export async function mysqlAnswers(uri: string): Promise<boolean> {
  const connection = await createConnection({ uri, connectTimeout: 2_000 })
  try {
    await connection.query({ sql: 'SELECT 1', timeout: 2_000 })
    return true
  } finally {
    connection.destroy()
  }
}
