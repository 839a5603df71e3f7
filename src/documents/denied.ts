/** What MongoDB does not let us do, told so that a person can mend it. */
import { mistrust } from '../operate/trust.ts'

interface Failure {
  code?: unknown
  syscall?: unknown
  message: string
  cause?: unknown
}

const AUTHENTICATION_FAILED = 18
const USER_NOT_FOUND = 11
const UNAUTHORIZED = 13
/** Of Atlas, whatever it is. */
const ATLAS_ERROR = 8000
const isAtlasRefusal = ({ code, message }: Failure) => code === ATLAS_ERROR && /auth/i.test(message)

/** The server quotes the whole command, with what is asked for: only its name and that of the collection are told. */
const COMMAND = /not authorized on (\S+) to execute command \{ (\w+): (?:"([^"]*)")?/

/** Why MongoDB does not let us in, or do something, with what to do about it; null: it may be an outage. */
function denial(error: unknown): string | null {
  for (let at = error as Failure | undefined; at; at = at.cause as Failure | undefined) {
    if (at.code === UNAUTHORIZED) return unauthorized(at.message)
    if (at.code === AUTHENTICATION_FAILED || at.code === USER_NOT_FOUND || isAtlasRefusal(at)) {
      return `MongoDB does not know the user of MONGODB_URI, or refuses its password or certificate: ${at.message}`
    }
    if (at.syscall === 'open' && (at.code === 'ENOENT' || at.code === 'EACCES'))
      return `A file that MONGODB_URI names cannot be read: ${at.message}`
  }
  const why = mistrust(error)
  return (
    why && `MongoDB ${why}: look at tlsCAFile and tlsCertificateKeyFile of MONGODB_URI, and at the names of its hosts`
  )
}

function unauthorized(message: string): string {
  const [, database, command, collection] = COMMAND.exec(message) ?? []
  if (database === undefined)
    return 'MongoDB does not let our user do what it must: give it the role that docs/how-to/secure.md makes'
  const on = collection === undefined ? database : `${database}.${collection}`
  return `MongoDB does not let our user run ${command} on ${on}: give it the role that docs/how-to/secure.md makes`
}

const CLOSED = /connection .* closed/

/** The error in the plainest words there are for it. */
export function explain(error: Error): string {
  const known = denial(error)
  if (known !== null) return known
  return CLOSED.test(error.message) ? `${error.message} (if it stays so: does it want TLS? tls=true)` : error.message
}
