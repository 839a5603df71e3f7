import { run } from './install.ts'

/** What a native service needs on this machine. */
export interface Tool {
  what: string
  remedy: string
  present: () => Promise<boolean>
}

const answers = (command: string, args: string[]) => () =>
  run(command, args).then(
    () => true,
    () => false,
  )

export const JAVA: Tool = {
  what: 'Java 17 or newer (java)',
  remedy: 'openjdk-17-jre-headless',
  present: () =>
    run('java', ['-version']).then(
      (output) => Number(/version "(\d+)/.exec(output)?.[1]) >= 17,
      () => false,
    ),
}

export const MAVEN: Tool = { what: 'Maven (mvn)', remedy: 'maven', present: answers('mvn', ['-v']) }

export const PIP: Tool = {
  what: 'Python 3 with pip (python3 -m pip)',
  remedy: 'python3 python3-pip',
  present: answers('python3', ['-m', 'pip', '--version']),
}

export const GO: Tool = { what: 'Go 1.17 or newer (go)', remedy: 'golang-go', present: answers('go', ['version']) }

/** Throws one error that names every tool that is missing, and the ways out. */
export async function assertPresent(tools: Tool[]): Promise<void> {
  const wanted = [...new Set(tools)]
  const present = await Promise.all(wanted.map((tool) => tool.present()))
  const missing = wanted.filter((_, index) => !present[index])
  if (missing.length === 0) return
  throw new Error(
    `Kafka, MongoDB and the schema registry are not given by the environment, no Docker engine answers, and to run ` +
      `them natively this machine lacks: ${missing.map(({ what }) => what).join(', ')}.\n` +
      `Install it (on Debian or Ubuntu: apt-get install ${missing.map(({ remedy }) => remedy).join(' ')}), ` +
      `or start Docker, or set KAFKA_BROKERS, MONGODB_URI and SCHEMA_REGISTRY_URL.`,
  )
}
