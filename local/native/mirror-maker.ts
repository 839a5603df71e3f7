import { join } from 'node:path'
import type { Progress } from '../progress.ts'
import { CONNECT_VERSION } from './connect.ts'
import { installed, type Package } from './install.ts'
import { fetchArtifacts } from './maven.ts'

const PACKAGE: Package = {
  directory: `mirror-maker-${CONNECT_VERSION}`,
  what: `Downloading MirrorMaker ${CONNECT_VERSION} (33 MB) from Maven Central`,
  fill: (directory) =>
    fetchArtifacts(directory, [
      { group: 'org.apache.kafka', artifact: 'connect-mirror', version: CONNECT_VERSION },
      { group: 'org.slf4j', artifact: 'slf4j-simple', version: '1.7.36' },
    ]),
}

/** Java class path of `org.apache.kafka.connect.mirror.MirrorMaker`. */
export const mirrorMakerClasspath = async (progress: Progress = () => undefined): Promise<string> =>
  join(await installed(PACKAGE, progress), 'lib', '*')
