import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { code, page, table } from './markdown.ts'

interface Schema {
  $ref?: string
  type?: string | string[]
  description?: string
  enum?: string[]
  const?: string
  format?: string
  oneOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
}

interface Message {
  summary: string
  headers?: Schema
  payload: Schema
  bindings: { kafka: { key: Schema } }
}

interface Channel {
  address: string
  title: string
  description?: string
  messages: Record<string, Message>
  bindings: {
    kafka: { partitions: number; topicConfiguration: { 'cleanup.policy': string[]; 'retention.ms'?: number } }
  }
}

type Node = Record<string, unknown>

/** A part of the document with what it refers to in the place of the reference, over all levels. */
function resolved(root: Node, part: unknown): unknown {
  if (Array.isArray(part)) return part.map((item) => resolved(root, item))
  if (typeof part !== 'object' || part === null) return part
  const { $ref } = part as Schema
  if ($ref !== undefined) {
    const keys = $ref.slice(2).split('/')
    return resolved(
      root,
      keys.reduce<unknown>((node, key) => (node as Node)[key], root),
    )
  }
  return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, resolved(root, value)]))
}

function typeOf({ type, enum: words, const: word, format, oneOf }: Schema): string {
  if (word !== undefined) return code(word)
  if (words !== undefined) return words.map(code).join(', ')
  if (oneOf !== undefined) return oneOf.map(typeOf).join(' or ')
  if (type === undefined) return 'any'
  const name = [type].flat().join(' or ')
  return format === undefined ? name : `${name} (${format})`
}

const fields = ({ properties = {}, required = [] }: Schema): string =>
  table(
    ['name (* always there)', 'type', 'meaning'],
    Object.entries(properties).map(([name, schema]) => [
      `${code(name)}${required.includes(name) ? ' *' : ''}`,
      typeOf(schema),
      schema.description ?? '',
    ]),
  )

function messageParts(name: string, { summary, headers, payload, bindings }: Message): string[] {
  const key = bindings.kafka.key
  return [
    `**${name}**. ${summary} Key: ${typeOf(key)}${key.description ? ` (${key.description.replace(/\.$/, '')})` : ''}.`,
    ...(payload.properties === undefined
      ? []
      : [`Value${payload.description ? `: ${payload.description}` : ':'}`, fields(payload)]),
    ...(headers?.properties === undefined
      ? []
      : [`Headers${headers.description ? `: ${headers.description}` : ':'}`, fields(headers)]),
  ]
}

function channelParts({ address, title, description, messages, bindings }: Channel): string[] {
  const { partitions, topicConfiguration } = bindings.kafka
  const kept = topicConfiguration['retention.ms']
  const how = kept === undefined ? 'compacted' : `kept for ${kept / 86_400_000} days`
  return [
    `## ${code(address)}`,
    [`${title}.`, description, `${partitions} partitions, ${how}.`].filter((text) => text !== undefined).join(' '),
    ...Object.entries(messages).flatMap(([name, message]) => messageParts(name, message)),
  ]
}

export async function topicsPage(): Promise<string> {
  const text = await readFile(new URL('../../schemas/asyncapi.yaml', import.meta.url), 'utf8')
  const document = parse(text) as Node
  const channels = resolved(document, document.channels) as Record<string, Channel>
  const seen = new Set<string>()
  const once = (channel: Channel): Channel => {
    const unseen = Object.entries(channel.messages).filter(([name]) => !seen.has(name) && seen.add(name))
    return { ...channel, messages: Object.fromEntries(unseen) }
  }
  return page(
    'Topics',
    'schemas/asyncapi.yaml',
    `Names are the defaults of the settings \`EVENTS_TOPICS\`, \`RESPONSES_TOPICS\`, \`STATUS_TOPIC\` and \`DEAD_LETTER_TOPIC\`. For machines:
[asyncapi.yaml](../../schemas/asyncapi.yaml) and the Avro schemas beside it. What the fields mean is told in [records](records.md). A topic of
its own, \`OBSERVATIONS_TOPIC\`, is between the two stages and nobody else's affair.`,
    ...Object.values(channels).flatMap((channel) => channelParts(once(channel))),
  )
}
