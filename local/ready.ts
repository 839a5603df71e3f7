import kafkajs from 'kafkajs'
import { MongoClient } from 'mongodb'

// One look each at whether a service answers, for `until`. They throw or give false when it does not yet.

/** True when the broker list answers as a cluster with a controller. */
export async function kafkaAnswers(brokers: string): Promise<boolean> {
  const kafka = new kafkajs.Kafka({
    clientId: 'pm-parking-events-local',
    brokers: brokers.split(','),
    connectionTimeout: 1_000,
    requestTimeout: 2_000,
    retry: { retries: 0 },
    logLevel: kafkajs.logLevel.NOTHING,
  })
  const admin = kafka.admin()
  try {
    await admin.connect()
    const cluster = await admin.describeCluster()
    return cluster.brokers.length > 0 && cluster.controller !== null
  } finally {
    await admin.disconnect()
  }
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
