import { GenericContainer, Wait } from 'testcontainers'
import { MONGODB_IMAGE, pinned } from './docker.ts'
import { freePorts } from './ports.ts'
import { CONFIGURATION, SHARDS, type ShardedParts } from './sharded-parts.ts'

const NAMES = [CONFIGURATION, ...SHARDS]
const FIRST_PORT = 27018
const ROUTERS = [27016, 27017]
const READY_MS = 180_000

const portOf = (i: number) => FIRST_PORT + i

/** One container with all of a cluster, whose parts know each other by its own loopback. */
export async function startShardedContainer(): Promise<ShardedParts> {
  const inside = [...NAMES.map((_, i) => portOf(i)), ...ROUTERS]
  const outside = await freePorts(inside.length)
  const described = new GenericContainer(MONGODB_IMAGE)
    .withEntrypoint(['sh', '-c'])
    .withCommand([script()])
    .withWaitStrategy(Wait.forLogMessage(/Waiting for connections/, NAMES.length))
    .withStartupTimeout(READY_MS)
  const ports = inside.map((container, i) => ({ container, host: outside[i] as number }))
  const container = await (await pinned(described, ...ports)).start()
  const at = (port: number) => `${container.getHost()}:${container.getMappedPort(port)}`
  return {
    sets: NAMES.map((name, i) => ({
      ...{ name, host: `127.0.0.1:${portOf(i)}` },
      uri: `mongodb://${at(portOf(i))}/?directConnection=true`,
    })),
    startRouters: async () => ROUTERS.map(at),
    discard: async () => {
      await container.stop({ remove: true, removeVolumes: true, timeout: 0 })
    },
  }
}

function script(): string {
  const mongods = NAMES.map((name, i) => {
    const role = name === CONFIGURATION ? '--configsvr' : '--shardsvr'
    const data = `/data/db/${name}`
    return (
      `mkdir -p ${data} && mongod ${role} --replSet ${name} --dbpath ${data} --port ${portOf(i)} --bind_ip_all ` +
      '--oplogSize 256 --wiredTigerCacheSizeGB 0.25 &'
    )
  })
  const routers = ROUTERS.map(
    (port) => `mongos --configdb ${CONFIGURATION}/127.0.0.1:${portOf(0)} --port ${port} --bind_ip_all &`,
  )
  const isInitiated = `mongosh --port ${portOf(0)} --quiet --eval 'quit(db.hello().isWritablePrimary ? 0 : 1)'`
  return [...mongods, `until ${isInitiated}; do sleep 0.5; done`, ...routers, 'wait'].join('\n')
}
