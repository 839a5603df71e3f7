import { chmodSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from '../../local/build.ts'
import { removeAtEnd } from '../../local/native/guard.ts'
import { run } from '../../local/native/install.ts'
import { kafkaClasspath } from '../../local/native/kafka.ts'
import { mirrorMakerClasspath } from '../../local/native/mirror-maker.ts'
import { mongoshScript } from '../../local/native/mongosh.ts'
import { type NativeService, startService } from '../../local/native/process.ts'

/** A page of `docs/how-to`, whose commands are run as they stand there. */
export interface HowTo {
  /** Where the commands are that pages use. */
  readonly tools: string
  /**
   * Runs the commands below a heading, all of them in one shell, and gives what they print. `env` is what the page has its reader set.
   * @throws when a command fails, or the page has none below this heading
   */
  follow(heading: string, env: Record<string, string>): Promise<string>
  /** The same in a directory that the reader has chosen. */
  followIn(directory: string, heading: string, env: Record<string, string>): Promise<string>
  /** The same for a command that goes on until it is disposed of. */
  begin(heading: string, env: Record<string, string>): Promise<NativeService>
}

const CLASSES: Record<string, string> = {
  'kafka-consumer-groups.sh': 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  'kafka-topics.sh': 'org.apache.kafka.tools.TopicCommand',
  'kafka-configs.sh': 'kafka.admin.ConfigCommand',
  'kafka-delete-records.sh': 'org.apache.kafka.tools.DeleteRecordsCommand',
  'kafka-console-consumer.sh': 'org.apache.kafka.tools.consumer.ConsoleConsumer',
}

export async function openHowTo(page: string): Promise<HowTo> {
  const text = readFileSync(join(ROOT, 'docs', 'how-to', page), 'utf8')
  const below = (heading: string) => {
    const [, section] = text.split(new RegExp(`^#+ ${heading}\\n`, 'm'))
    if (section === undefined) throw new Error(`${page} has no heading "${heading}"`)
    return section.split(/^#/m)[0] as string
  }
  const tools = await makeTools()
  const shell = (heading: string, env: Record<string, string>) => {
    // A step of a list is indented.
    const found = [...below(heading).matchAll(/^( *)```sh\n([\s\S]*?)^ *```$/gm)]
    if (found.length === 0) throw new Error(`${page} shows no commands below "${heading}"`)
    const commands = found.map(([, indent = '', block = '']) => block.replaceAll(new RegExp(`^${indent}`, 'gm'), ''))
    const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`)
    const path = `PATH=${tools}:${process.env.PATH}`
    const bash = ['bash', '-euo', 'pipefail', '-c', commands.join('\n')]
    return { command: 'env', args: ['-i', path, `HOME=${tools}`, ...settings, ...bash], cwd: tools }
  }
  const followIn: HowTo['followIn'] = (directory, heading, env) => {
    const { command, args } = shell(heading, env)
    return run(command, args, directory)
  }
  return {
    tools,
    followIn,
    follow: (heading, env) => followIn(tools, heading, env),
    begin: (heading, env) =>
      startService({
        ...{ name: heading, address: '', ...shell(heading, env), log: join(tools, 'begun.log') },
        answers: async () => true,
      }),
  }
}

/** A directory with the commands that the pages use, under the names that they have in Kafka's and MongoDB's own packages. */
async function makeTools(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'how-to-'))
  removeAtEnd(directory)
  const write = (name: string, command: string) => {
    writeFileSync(join(directory, name), `#!/bin/sh\nexec ${command} "$@"\n`)
    chmodSync(join(directory, name), 0o755)
  }
  const java = (classpath: string, main: string) =>
    `java -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=error -cp '${classpath}' ${main}`
  const kafka = await kafkaClasspath()
  for (const [name, main] of Object.entries(CLASSES)) write(name, java(kafka, main))
  write('connect-mirror-maker.sh', java(await mirrorMakerClasspath(), 'org.apache.kafka.connect.mirror.MirrorMaker'))
  write('mongosh', `'${process.execPath}' '${await mongoshScript()}'`)
  symlinkSync(join(ROOT, 'dist'), join(directory, 'dist'))
  return directory
}
