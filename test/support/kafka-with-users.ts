import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FOR_ONE_MACHINE, kafkaHome } from '../../local/native/kafka.ts'
import { type NativeService, startService } from '../../local/native/process.ts'
import { freePorts } from '../../local/ports.ts'
import { kafkaAnswers } from '../../local/ready.ts'

/** A broker with a listener for users with SCRAM, and one without for the operator. */
export interface KafkaWithUsers {
  readonly operator: string
  /** Takes SCRAM-SHA-512, without TLS. */
  readonly forUsers: string
  discard: NativeService['discard']
}

export async function startKafkaWithUsers(parent: string): Promise<KafkaWithUsers> {
  const directory = join(parent, 'kafka-with-users')
  await mkdir(directory)
  const home = await kafkaHome(() => undefined)
  const data = join(directory, 'data')
  await cp(join(home, 'formatted'), data, { recursive: true })
  const [open, users, controller] = (await freePorts(3)).map((port) => `127.0.0.1:${port}`) as [string, string, string]
  const properties = join(directory, 'kafka.properties')
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
  await writeFile(
    properties,
    [
      ...['process.roles=broker,controller', 'node.id=1', `controller.quorum.voters=1@${controller}`],
      ...['controller.listener.names=CONTROLLER', 'inter.broker.listener.name=PLAINTEXT', `log.dirs=${data}`],
      `listeners=PLAINTEXT://${open},USERS://${users},CONTROLLER://${controller}`,
      `advertised.listeners=PLAINTEXT://${open},USERS://${users}`,
      'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,USERS:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT',
      `sasl.enabled.mechanisms=SCRAM-SHA-512\nlistener.name.users.scram-sha-512.sasl.jaas.config=${scram}`,
      FOR_ONE_MACHINE,
    ].join('\n'),
  )
  const jvm = ['-Xms256m', '-Xmx512m', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn']
  const service = await startService({
    ...{ name: 'Kafka', address: open, cwd: directory, log: join(directory, 'kafka.log'), command: 'java' },
    args: [...jvm, '-cp', join(home, 'lib', '*'), 'kafka.Kafka', properties],
    answers: () => kafkaAnswers(open),
  })
  return { operator: open, forUsers: users, discard: service.discard }
}
