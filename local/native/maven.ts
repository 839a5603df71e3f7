import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './install.ts'

export interface Artifact {
  group: string
  artifact: string
  version: string
  classifier?: string
  type?: string
  /** Left out of what it depends on: `group:artifact`, either may be `*`. */
  exclusions?: string[]
}

const PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'

/** Copies the artifacts and what they need to run into `<directory>/lib`. Honours the user's own Maven settings. */
export async function fetchArtifacts(directory: string, artifacts: Artifact[]): Promise<void> {
  const pom = join(directory, 'pom.xml')
  await writeFile(pom, pomOf(artifacts))
  await run('mvn', [
    '-B',
    '-q',
    '-f',
    pom,
    PLUGIN,
    `-DoutputDirectory=${join(directory, 'lib')}`,
    '-DincludeScope=runtime',
  ])
}

const pomOf = (artifacts: Artifact[]) => `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>pm-parking-events</groupId>
  <artifactId>local-services</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
${artifacts.map(dependency).join('\n')}
  </dependencies>
</project>
`

function dependency({ group, artifact, version, classifier, type, exclusions = [] }: Artifact): string {
  const excluded = exclusions.map((name) => {
    const [excludedGroup, excludedArtifact] = name.split(':')
    return `<exclusion>${element('groupId', excludedGroup)}${element('artifactId', excludedArtifact)}</exclusion>`
  })
  const parts = [
    element('groupId', group),
    element('artifactId', artifact),
    element('version', version),
    element('classifier', classifier),
    element('type', type),
    `<exclusions>${excluded.join('')}</exclusions>`,
  ]
  return `    <dependency>${parts.join('')}</dependency>`
}

const element = (name: string, value: string | undefined) => (value === undefined ? '' : `<${name}>${value}</${name}>`)
