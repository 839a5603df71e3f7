import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { OwnService } from '../controllable.ts'
import { freePorts } from '../ports.ts'
import { type Progress, step } from '../progress.ts'
import { registryAnswers } from '../ready.ts'
import { installed, isInstalled, type Package, run } from './install.ts'
import { fetchArtifacts } from './maven.ts'
import { type Launch, startService } from './process.ts'
import { JAVA, MAVEN, type Tool } from './tools.ts'

const VERSION = '2.6.13.Final'

const PACKAGE: Package = {
  directory: `apicurio-registry-${VERSION}`,
  what: `Downloading Apicurio Registry ${VERSION} (142 MB) from Maven Central`,
  fill: async (directory) => {
    await fetchArtifacts(directory, [
      {
        group: 'io.apicurio',
        artifact: 'apicurio-registry-app',
        version: VERSION,
        classifier: 'all',
        type: 'tar.gz',
        exclusions: ['*:*'],
      },
    ])
    const archives = join(directory, 'lib')
    const app = join(directory, 'app')
    await mkdir(app)
    for (const archive of await readdir(archives)) await run('tar', ['-xzf', join(archives, archive), '-C', app])
    await rm(archives, { recursive: true })
  },
}

export const registryTools = async (): Promise<Tool[]> =>
  (await isInstalled(PACKAGE.directory)) ? [JAVA] : [JAVA, MAVEN]

/** A schema registry with the Confluent API on loopback; its schemas outlive a stop and start, in a file in `directory`. */
export async function startRegistry(directory: string, progress: Progress): Promise<OwnService> {
  const home = await installed(PACKAGE, progress)
  const [port] = (await freePorts(1)) as [number]
  const address = `http://127.0.0.1:${port}/apis/ccompat/v7`
  const launch: Launch = {
    name: 'the schema registry',
    command: 'java',
    args: [
      '-Xmx512m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-jar',
      join(home, 'app', `apicurio-registry-app-${VERSION}-runner.jar`),
    ],
    cwd: directory,
    env: {
      QUARKUS_HTTP_HOST: '127.0.0.1',
      QUARKUS_HTTP_PORT: String(port),
      REGISTRY_DATASOURCE_URL: `jdbc:h2:file:${join(directory, 'registry')}`,
      LOG_LEVEL: 'WARN',
    },
    log: join(directory, 'registry.log'),
    address,
    answers: () => registryAnswers(address),
  }
  return step(progress, `Starting ${launch.name}`, () => startService(launch))
}
