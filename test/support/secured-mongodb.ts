import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MongoClient } from 'mongodb'
import { mongodArguments, mongodCommand, REPLICA_SET } from '../../local/native/mongodb.ts'
import { startService } from '../../local/native/process.ts'
import { freePorts } from '../../local/ports.ts'
import { until } from '../../local/until.ts'
import type { Authority } from './certificates.ts'

/** A replica set of one that speaks TLS only, and lets nobody do what no role allows. */
export interface SecuredMongodb extends AsyncDisposable {
  readonly host: string
  /** Of somebody who may do all. */
  readonly root: MongoClient
  /** Their connection string. */
  readonly rootUri: string
  /** Connection string of a user with SCRAM-SHA-256. */
  uri(user: string, password: string): string
  /** Connection string of who comes with the certificate in this file. */
  uriByCertificate(file: string): string
}

const ROOT = { user: 'root', password: randomBytes(12).toString('hex') }

export async function startSecuredMongodb(directory: string, authority: Authority): Promise<SecuredMongodb> {
  const mongod = await mongodCommand(() => undefined)
  const [port] = (await freePorts(1)) as [number]
  const host = `127.0.0.1:${port}`
  const at = (name: string) => join(directory, name)
  await mkdir(at('secured-mongodb'))
  await writeFile(at('cluster-key'), randomBytes(48).toString('base64'), { mode: 0o600 })
  const { files } = await authority.sign({ name: 'mongodb', hosts: ['IP:127.0.0.1', 'DNS:localhost'], unit: 'servers' })
  const options = `tls=true&tlsCAFile=${encodeURIComponent(authority.file)}`
  const asNobody = `mongodb://${host}/?directConnection=true&${options}`
  const service = await startService({
    name: 'the secured MongoDB',
    command: mongod,
    args: [
      ...mongodArguments({ data: at('secured-mongodb'), port, oplogMiB: 64, cacheGiB: 0.25 }),
      ...['--tlsMode', 'requireTLS', '--tlsCertificateKeyFile', files.both, '--tlsCAFile', authority.file],
      '--tlsAllowConnectionsWithoutCertificates',
      ...['--auth', '--keyFile', at('cluster-key')],
      ...['--setParameter', 'authenticationMechanisms=SCRAM-SHA-256,MONGODB-X509'],
    ],
    cwd: directory,
    log: at('secured-mongodb.log'),
    address: host,
    answers: () => withClient(asNobody, async (client) => (await client.db('admin').command({ ping: 1 })).ok === 1),
  })
  try {
    await withClient(asNobody, makeRoot(host))
    const uri = (user: string, password: string) =>
      `mongodb://${user}:${password}@${host}/?replicaSet=${REPLICA_SET}&authSource=admin&${options}`
    const rootUri = uri(ROOT.user, ROOT.password)
    const root = await MongoClient.connect(rootUri)
    return {
      ...{ host, root, rootUri, uri },
      uriByCertificate: (file) =>
        `mongodb://${host}/?replicaSet=${REPLICA_SET}&authMechanism=MONGODB-X509&${options}&tlsCertificateKeyFile=${encodeURIComponent(file)}`,
      async [Symbol.asyncDispose]() {
        await root.close()
        await service.discard()
      },
    }
  } catch (error) {
    await service.discard()
    throw error
  }
}

/** As long as there is no user, whoever is on its machine may make the first. */
const makeRoot = (host: string) => async (client: MongoClient) => {
  const admin = client.db('admin')
  await admin.command({ replSetInitiate: { _id: REPLICA_SET, members: [{ _id: 0, host }] } })
  await until(async () => (await admin.command({ hello: 1 })).isWritablePrimary, {
    timeoutMs: 30_000,
    what: 'MongoDB has a primary',
  })
  await admin.command({ createUser: ROOT.user, pwd: ROOT.password, roles: ['root'] })
}

async function withClient<T>(uri: string, use: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 1_000 })
  try {
    return await use(client)
  } finally {
    await client.close()
  }
}
