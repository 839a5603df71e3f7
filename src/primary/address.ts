import type { PoolOptions, SslOptions } from 'mysql2/promise'

const DEFAULT_PORT = 3306

/**
 * What PRIMARY_MYSQL_URI says, as options of the driver: `mysql://user:password@host:port/database`, and `?ssl=true` for
 * TLS with a certificate that is checked, or `?ssl={…}` with the driver's own options for it as JSON.
 *
 * The driver would take any of its options from the URI, `multipleStatements` among them, so it does not see it.
 * @throws Error that says what is wrong, without the URI.
 */
export function addressOf(uri: string): PoolOptions {
  const { hostname, port, username, password, pathname, searchParams } = parsed(uri)
  const database = decoded(pathname.slice(1))
  if (database === '') throw wrong('names no database: mysql://user:password@host:3306/parking')
  const address: PoolOptions = {
    host: decoded(hostname.replace(/^\[(.*)\]$/, '$1')),
    port: port === '' ? DEFAULT_PORT : Number(port),
    user: decoded(username),
    password: decoded(password),
    database,
  }
  for (const [name, value] of searchParams) {
    if (name !== 'ssl') throw wrong(`has the option ${JSON.stringify(name.slice(0, 40))}; the only one is ssl`)
    const ssl = sslOf(value)
    if (ssl !== null) address.ssl = ssl
  }
  return address
}

function parsed(uri: string): URL {
  const url = URL.canParse(uri) ? new URL(uri) : null
  if (url === null || !/^(mysql|mariadb):$/.test(url.protocol)) throw wrong('is not a mysql:// connection string')
  return url
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw wrong('has a % that is not followed by two hexadecimal digits: write %25 for one')
  }
}

/** The driver alone does not compare the name in the certificate. */
function sslOf(text: string): SslOptions | null {
  const value = jsonOf(text)
  if (value === false) return null
  if (value === true) return { rejectUnauthorized: true, verifyIdentity: true }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrong('has an ssl that is not true, false or a JSON object of TLS options')
  }
  const options = value as SslOptions
  return { verifyIdentity: options.rejectUnauthorized !== false, ...options }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const wrong = (what: string) => new Error(`PRIMARY_MYSQL_URI ${what}`)
