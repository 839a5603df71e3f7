import { kafkaClasspath } from './kafka.ts'

/** Quick to start, since these tools do not live long. */
const JVM = [
  '-Xmx512m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
]

/** Arguments of `java` for one of Kafka's own tools, below `org.apache.kafka.tools`. */
export async function kafkaTool(name: string, ...args: string[]): Promise<string[]> {
  return [...JVM, '-cp', await kafkaClasspath(), `org.apache.kafka.tools.${name}`, ...args]
}

/**
 * The same for Java's console consumer over a topic from its beginning, read committed; it ends with a TimeoutException
 * after `idleMs` without a record. `properties` say what it prints of each.
 */
export function consoleConsumer(
  brokers: string,
  topic: string,
  idleMs: number,
  properties: string[],
): Promise<string[]> {
  return kafkaTool(
    'consumer.ConsoleConsumer',
    ...['--bootstrap-server', brokers, '--topic', topic, '--from-beginning', '--timeout-ms', String(idleMs)],
    ...['--isolation-level', 'read_committed', '--consumer-property', 'max.poll.records=5000'],
    ...properties.flatMap((property) => ['--property', property]),
  )
}

/** The lines of a tool's output: pure ASCII, all else is written as `\xNN`. */
export async function* linesOf(output: NodeJS.ReadableStream): AsyncGenerator<string> {
  output.setEncoding('latin1')
  let rest = ''
  for await (const chunk of output) {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop() ?? ''
    yield* parts
  }
}
