import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Admin } from 'kafkajs'
import { run } from '../../local/native/install.ts'
import { FOR_ONE_MACHINE, kafkaHome } from '../../local/native/kafka.ts'
import { startService } from '../../local/native/process.ts'
import { freePorts } from '../../local/ports.ts'
import { quietKafka } from '../../local/quiet-kafka.ts'
import { kafkaAnswers } from '../../local/ready.ts'
import type { Authority, Certificate } from './certificates.ts'

/** Listeners with TLS; of the last four only the certificate is wrong, each in another way. */
const SECURED = ['SASL', 'MUTUAL', 'EXPIRED', 'OTHERHOST', 'FOREIGN'] as const
export type Listener = (typeof SECURED)[number]

/** A broker that lets nobody in without TLS and a name, and nobody do what no ACL allows. */
export interface SecuredKafka extends AsyncDisposable {
  /** By listener: `SASL` takes PLAIN and SCRAM, `MUTUAL` client certificates. */
  readonly brokers: Readonly<Record<Listener, string>>
  /** Who may do all, without TLS; for the test itself. */
  readonly operator: string
  readonly admin: Admin
  /** A directory with `kafka-acls.sh` and `kafka-configs.sh`. */
  readonly tools: string
}

export interface SecuredKafkaOptions {
  directory: string
  authority: Authority
  foreign: Authority
  /** A user with PLAIN and both kinds of SCRAM; others can be made with Kafka's own tools. */
  user: User
  /** Who may do all, by SCRAM over TLS. */
  administrator: User
}

interface User {
  name: string
  password: string
}

export async function startSecuredKafka(options: SecuredKafkaOptions): Promise<SecuredKafka> {
  const { directory } = options
  const home = await kafkaHome(() => undefined)
  const [operatorPort, controllerPort, ...ports] = (await freePorts(2 + SECURED.length)) as [
    number,
    number,
    ...number[],
  ]
  const addresses = SECURED.map((_, i) => `127.0.0.1:${ports[i]}`)
  const operator = `127.0.0.1:${operatorPort}`
  const properties = join(directory, 'kafka.properties')
  await writeFile(
    properties,
    [
      ...settingsOf(operator, `127.0.0.1:${controllerPort}`, addresses),
      // Whoever comes without TLS has no name; only this machine can.
      `super.users=User:ANONYMOUS;User:${options.administrator.name}`,
      `log.dirs=${join(directory, 'kafka')}`,
      ...(await tlsOf(options)),
      ...saslOf(options.user),
    ].join('\n'),
  )
  const java = ['-cp', join(home, 'lib', '*')]
  const scram = [options.user, options.administrator].flatMap(({ name, password }) =>
    ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
      '--add-scram',
      `${mechanism}=[name=${name},password=${password}]`,
    ]),
  )
  const format = ['kafka.tools.StorageTool', 'format', '-t', 'pmParkingEventsSecured', '-c', properties]
  await run('java', [...java, ...format, ...scram])
  const service = await startService({
    name: 'the secured Kafka',
    command: 'java',
    args: ['-Xmx512m', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', ...java, 'kafka.Kafka', properties],
    cwd: directory,
    log: join(directory, 'kafka.log'),
    address: operator,
    answers: () => kafkaAnswers(operator),
  })
  const admin = quietKafka(operator, 'operator').admin()
  await admin.connect()
  return {
    tools: await toolsIn(directory, home),
    brokers: Object.fromEntries(SECURED.map((name, i) => [name, addresses[i]])) as Record<Listener, string>,
    operator,
    admin,
    async [Symbol.asyncDispose]() {
      await admin.disconnect()
      await service.discard()
    },
  }
}

function settingsOf(operator: string, controller: string, addresses: readonly string[]): string[] {
  const clients = [`OPERATOR://${operator}`, ...SECURED.map((name, i) => `${name}://${addresses[i]}`)].join(',')
  const protocols = SECURED.map((name) => `${name}:${name === 'MUTUAL' ? 'SSL' : 'SASL_SSL'}`)
  return [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@${controller}`,
    'controller.listener.names=CONTROLLER',
    `listeners=${clients},CONTROLLER://${controller}`,
    `advertised.listeners=${clients}`,
    'inter.broker.listener.name=OPERATOR',
    `listener.security.protocol.map=OPERATOR:PLAINTEXT,CONTROLLER:PLAINTEXT,${protocols}`,
    'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'allow.everyone.if.no.acl.found=false',
    FOR_ONE_MACHINE,
  ]
}

async function tlsOf({ authority, foreign }: SecuredKafkaOptions): Promise<string[]> {
  const hosts = ['IP:127.0.0.1', 'DNS:localhost']
  const [good, expired, other, unknown] = (await Promise.all([
    authority.sign({ name: 'broker', hosts }),
    authority.sign({ name: 'broker', hosts, expired: true }),
    authority.sign({ name: 'broker', hosts: ['DNS:elsewhere.example'] }),
    foreign.sign({ name: 'broker', hosts }),
  ])) as [Certificate, Certificate, Certificate, Certificate]
  const ofListener = { EXPIRED: expired, OTHERHOST: other, FOREIGN: unknown }
  return [
    'ssl.keystore.type=PEM',
    `ssl.keystore.location=${good.files.both}`,
    'ssl.truststore.type=PEM',
    `ssl.truststore.location=${authority.file}`,
    'listener.name.mutual.ssl.client.auth=required',
    // A client with a certificate is known by its common name alone.
    'ssl.principal.mapping.rules=RULE:^CN=([^,]+),.*$/$1/,DEFAULT',
    ...Object.entries(ofListener).flatMap(([name, { files }]) => [
      `listener.name.${name.toLowerCase()}.ssl.keystore.type=PEM`,
      `listener.name.${name.toLowerCase()}.ssl.keystore.location=${files.both}`,
    ]),
  ]
}

function saslOf({ name: user, password }: User): string[] {
  const modules = {
    plain: `org.apache.kafka.common.security.plain.PlainLoginModule required user_${user}="${password}";`,
    'scram-sha-256': 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
    'scram-sha-512': 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
  }
  const listeners = SECURED.filter((name) => name !== 'MUTUAL').map((name) => name.toLowerCase())
  return [
    'sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    ...listeners.flatMap((listener) =>
      Object.entries(modules).map(([name, module]) => `listener.name.${listener}.${name}.sasl.jaas.config=${module}`),
    ),
  ]
}

/** Kafka's scripts are not in its archives for Maven: these do the same. */
async function toolsIn(directory: string, home: string): Promise<string> {
  const tools = join(directory, 'tools')
  await mkdir(tools)
  const classes = {
    'kafka-acls.sh': 'org.apache.kafka.tools.AclCommand',
    'kafka-configs.sh': 'kafka.admin.ConfigCommand',
  }
  const java = 'java -Xmx96m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dorg.slf4j.simpleLogger.defaultLogLevel=error'
  for (const [name, main] of Object.entries(classes)) {
    const script = `#!/bin/sh\nexec ${java} -cp '${join(home, 'lib', '*')}' ${main} "$@"\n`
    await writeFile(join(tools, name), script, { mode: 0o755 })
  }
  return tools
}
