import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../../local/native/install.ts'

/** A certificate with its key, as text and as files. */
export interface Certificate {
  readonly cert: string
  readonly key: string
  readonly files: {
    readonly cert: string
    readonly key: string
    /** Both in one, as Kafka and MongoDB read them. */
    readonly both: string
  }
}

export interface Request {
  /** Its common name; the organisation is `parking`. */
  name: string
  /** Names and addresses of a server, as OpenSSL writes them: `IP:127.0.0.1`. Left out: a client's. */
  hosts?: readonly string[]
  /** Its last day was yesterday. */
  expired?: boolean
  /** The organisational unit of a subject. */
  unit?: string
}

/** A certificate authority of a test. */
export interface Authority {
  readonly cert: string
  readonly file: string
  sign(request: Request): Promise<Certificate>
}

const openssl = (...args: string[]) => run('openssl', args)
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
/** OpenSSL takes one day before now as the least, for this very purpose. */
const YESTERDAY = '-1'
const TOMORROW = '2'

/** Makes an authority, its files under `directory`. */
export async function makeAuthority(directory: string, name: string): Promise<Authority> {
  const at = (file: string) => join(directory, `${name}-${file}`)
  const file = at('ca.pem')
  const subject = ['-subj', `/O=parking/CN=${name}`]
  await openssl('req', '-x509', ...NEW_KEY, '-keyout', at('ca.key'), '-out', file, ...subject, '-days', TOMORROW)
  let serial = 0

  async function sign({ name: common, hosts, expired = false, unit }: Request): Promise<Certificate> {
    const number = String(++serial)
    const own = (ending: string) => at(`${number}-${ending}`)
    const files = { cert: own('cert.pem'), key: own('key.pem'), both: own('both.pem') }
    const [request, extensions] = [own('request.pem'), own('extensions')]
    const whole = `/O=parking${unit === undefined ? '' : `/OU=${unit}`}/CN=${common}`
    await openssl('req', ...NEW_KEY, '-keyout', files.key, '-out', request, '-subj', whole)
    const uses = hosts === undefined ? 'clientAuth' : 'serverAuth,clientAuth'
    const lines = [`extendedKeyUsage=${uses}`, ...(hosts === undefined ? [] : [`subjectAltName=${hosts.join(',')}`])]
    await writeFile(extensions, lines.join('\n'))
    const signing = ['-CA', file, '-CAkey', at('ca.key'), '-set_serial', number, '-extfile', extensions]
    const days = ['-days', expired ? YESTERDAY : TOMORROW]
    await openssl('x509', '-req', '-in', request, '-out', files.cert, ...signing, ...days)
    const [cert, key] = await Promise.all([readFile(files.cert, 'utf8'), readFile(files.key, 'utf8')])
    await writeFile(files.both, cert + key, { mode: 0o600 })
    return { cert, key, files }
  }

  return { cert: await readFile(file, 'utf8'), file, sign }
}
