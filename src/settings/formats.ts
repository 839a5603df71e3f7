import { isIP } from 'node:net'

/** How the text of a variable becomes a value. `problem` completes the sentence "NAME …" and never quotes a secret. */
export type Parsed<T> = { value: T } | { problem: string }
export type Format<T> = (text: string) => Parsed<T>

const quoted = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)

/** Any text; what it means is nobody's business but the receiver's. */
export const text: Format<string> = (value) => ({ value })

/** Secrets, one a line; blank lines do not count. */
export const secrets: Format<string[]> = (value) => {
  const lines = value.split(/[\r\n]+/).filter((line) => line.trim() !== '')
  if (lines.length === 0) return { problem: 'is blank' }
  return lines.every((line) => line === line.trim())
    ? { value: lines }
    : { problem: 'has a line that begins or ends with a blank' }
}

/** A name that Kafka clients send about: printable, without blanks, at most 249 characters. */
export const identifier: Format<string> = (value) =>
  /^[\x21-\x7e]{1,249}$/.test(value)
    ? { value }
    : { problem: `is ${quoted(value)}, but must be 1 to 249 printable characters without blanks` }

export function oneOf<const T extends string>(...choices: T[]): Format<T> {
  return (value) => {
    const choice = choices.find((c) => c === value.toLowerCase())
    return choice === undefined
      ? { problem: `is ${quoted(value)}, but must be one of ${choices.join(', ')}` }
      : { value: choice }
  }
}

export const flag: Format<boolean> = (value) => {
  const choice = oneOf('true', 'false')(value)
  return 'value' in choice ? { value: choice.value === 'true' } : choice
}

/** A decimal number from `least` to `most`; `whole` allows no fraction. */
export function number(least: number, most: number, whole: 'whole' | 'fraction'): Format<number> {
  return (value) => {
    const n = /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN
    const fits = n >= least && n <= most && (whole === 'fraction' || Number.isInteger(n))
    const what = whole === 'whole' ? 'a whole number' : 'a number'
    return fits ? { value: n } : { problem: `is ${quoted(value)}, but must be ${what} from ${least} to ${most}` }
  }
}

/** Comma-separated, at least one, none twice, each of `format`. */
export function listOf<T extends string>(format: Format<T>): Format<T[]> {
  return (value) => {
    const items: T[] = []
    for (const part of value.split(',').map((item) => item.trim())) {
      if (part === '') return { problem: `is ${quoted(value)}, which has an empty item between its commas` }
      const item = format(part)
      if ('problem' in item) return item
      if (items.includes(item.value)) return { problem: `names ${quoted(part)} twice` }
      items.push(item.value)
    }
    return { value: items }
  }
}

/** A legal Kafka topic name. */
export const topic: Format<string> = (value) =>
  /^[A-Za-z0-9._-]{1,249}$/.test(value) && value !== '.' && value !== '..'
    ? { value }
    : { problem: `is ${quoted(value)}, but a topic name has 1 to 249 letters, digits, dots, underscores or hyphens` }

const isHostName = (host: string): boolean =>
  isIP(host) !== 0 || /^(?!.*\.\.)[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})$/.test(host)

/** A host to bind to, without scheme and port. */
export const host: Format<string> = (value) =>
  isHostName(value)
    ? { value }
    : { problem: `is ${quoted(value)}, but must be a host name or IP address without a port` }

/** An IP address, or a network of them as `10.0.0.0/8`. */
export const network: Format<string> = (value) => {
  const [, address = '', bits = '1'] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(value) ?? []
  const most = { 0: 0, 4: 32, 6: 128 }[isIP(address) as 0 | 4 | 6]
  return Number(bits) >= 1 && Number(bits) <= most
    ? { value }
    : { problem: `has ${quoted(value)}, but must be IP addresses, or networks of them such as 10.0.0.0/8` }
}

function isHostAndPort(value: string): boolean {
  const parts = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(value)
  if (!parts) return false
  const port = Number(parts[3])
  return port >= 1 && port <= 65535 && (parts[1] !== undefined ? isIP(parts[1]) === 6 : isHostName(parts[2] ?? ''))
}

/** `host:port` of a broker; the scheme of a listener (`PLAINTEXT://`) is not part of it. */
export const broker: Format<string> = (value) =>
  isHostAndPort(value) ? { value } : { problem: `has ${quoted(value)}, but each broker must be host:port` }

/** An http or https address without credentials in it. */
export const httpUrl: Format<string> = (value) => {
  const url = URL.canParse(value) ? new URL(value) : null
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    return { problem: 'is not an http:// or https:// address' }
  if (url.username !== '' || url.password !== '') {
    return { problem: 'has a user name or password in the address; give them in the settings made for them' }
  }
  return { value }
}

/** `name=value` with commas between, values percent-encoded. */
export const httpHeaders: Format<Record<string, string>> = (value) => {
  const headers: Record<string, string> = {}
  for (const part of value.split(',')) {
    const [, name, encoded = ''] = /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*([\x21-\x7e]+)\s*$/.exec(part) ?? []
    // What stands for a control character would break the request.
    if (name === undefined || !/^(?:[^%]|%[2-689A-Fa-f][0-9A-Fa-f]|%7[0-9A-Ea-e])+$/.test(encoded))
      return { problem: 'must be name=value with commas between, and values percent-encoded' }
    headers[name.toLowerCase()] = unescapeBytes(encoded)
  }
  return { value: headers }
}

/** Each escape is a byte, and a header is sent as Latin 1. */
const unescapeBytes = (text: string) =>
  text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))

/** A MongoDB connection string; the driver reads its options, this only finds what it could never connect to. */
export const mongodbUri: Format<string> = (value) => {
  const parts = /^(mongodb(?:\+srv)?):\/\/(?:[^/?#]*@)?([^/?#@]*)(\/[^?#@]*)?(\?[^#]*)?$/.exec(value)
  if (!parts) return { problem: 'is not a mongodb:// or mongodb+srv:// connection string (escape @ : / in a password)' }
  const hosts = (parts[2] ?? '').split(',')
  if (parts[1] === 'mongodb+srv') {
    return hosts.length === 1 && isHostName(hosts[0] ?? '')
      ? { value }
      : { problem: 'must name exactly one host without a port after mongodb+srv://' }
  }
  const fit = hosts.every((h) => isHostName(h) || isHostAndPort(h) || h.startsWith('%2F'))
  return fit ? { value } : { problem: 'has a host that is not host or host:port' }
}

export const mysqlUri: Format<string> = (value) => {
  const url = URL.canParse(value) ? new URL(value) : null
  const fits = (url?.protocol === 'mysql:' || url?.protocol === 'mariadb:') && url.hostname !== ''
  return fits ? { value } : { problem: 'is not a mysql:// connection string' }
}

/** A name that MongoDB takes for a database. */
export const databaseName: Format<string> = (value) =>
  /^[^/\\. "$*<>:|?\0]{1,63}$/.test(value)
    ? { value }
    : { problem: `is ${quoted(value)}, but a database name has 1 to 63 characters and none of / \\ . " $ * < > : | ?` }

/** A name that MongoDB takes for a collection. */
export const collectionName: Format<string> = (value) =>
  /^(?!system\.)[^$\0]{1,200}$/.test(value)
    ? { value }
    : { problem: `is ${quoted(value)}, but a collection name has no $ and does not start with system.` }

/** PEM text; `\n` written out, as some secret stores give it, becomes a line break. */
export const pem: Format<string> = (value) =>
  value.includes('-----BEGIN ')
    ? { value: value.replaceAll('\\n', '\n') }
    : {
        problem:
          'is not PEM text (-----BEGIN …); the path of a PEM file goes into the variable of the same name with _FILE',
      }

/** Dotted path into a record, such as `response.reference`. */
export const path: Format<string> = (value) =>
  /^[^\s.]+(\.[^\s.]+)*$/.test(value)
    ? { value }
    : { problem: `has ${quoted(value)}, but must be dotted paths without blanks, separated by commas` }

/** An IANA name of a time zone. */
export const timeZone: Format<string> = (value) => {
  const problem = { problem: `is ${quoted(value)}, but must be an IANA time zone: a region and a city, or UTC` }
  if (!value.includes('/') && value !== 'UTC') return problem
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: value })
    return { value }
  } catch {
    return problem
  }
}

/** What status updates and `cache` hold in the clear, by the last name of its path. */
const IN_THE_CLEAR =
  /^(response|session_?data|(parking)?_?(session|right)s?_?id|(parking)?_?zone(_?(id|code|number))?|status|event_?type|timestamp)$/i

/** A path in a document to what nothing else shows: not what it is found by, and not what status updates are made of. */
export const encryptablePath: Format<string> = (value) => {
  if (!/^(response|payload|user_id)(\.[^\s.]+)*$/.test(value))
    return {
      problem: `has ${quoted(value)}, but must be paths that begin with response, payload or user_id, separated by commas`,
    }
  return IN_THE_CLEAR.test(value.split('.').at(-1) ?? '')
    ? { problem: `has ${quoted(value)}, which status updates hold in the clear` }
    : { value }
}

/** Lines of `<id>:<32 bytes in base64>`. */
export const encryptionKeys: Format<{ id: string; key: Buffer }[]> = (value) => {
  const keys: { id: string; key: Buffer }[] = []
  for (const line of value.split(/[\r\n]+/).filter((text) => text.trim() !== '')) {
    const [, id = '', base64 = ''] = /^\s*([\w-]{1,64}):([A-Za-z0-9+/_-]{43}=?)\s*$/.exec(line) ?? []
    const key = Buffer.from(base64, 'base64')
    if (key.length !== 32)
      return { problem: 'has a line that is not <id>:<32 bytes in base64> (openssl rand -base64 32)' }
    if (keys.some((known) => known.id === id)) return { problem: `has two keys with the id ${quoted(id)}` }
    keys.push({ id, key })
  }
  return keys.length > 0 ? { value: keys } : { problem: 'has no key' }
}
