import { fileURLToPath } from 'node:url'
import { type Dependency, dependencies } from './dependencies.ts'

/** Licences that ask no more than to be named with the work. */
const ALLOWED: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'Python-2.0',
  'Unlicense',
  'Zlib',
])

interface Exception {
  name: RegExp
  licence: string | null
  /** Also where it comes with the program. */
  shipped?: boolean
  why: string
}

const EXCEPTIONS: readonly Exception[] = [
  {
    name: /^@kafkajs\/confluent-schema-registry$/,
    licence: null,
    shipped: true,
    why: 'its package.json names none; its file LICENSE is that of MIT',
  },
  { name: /^(@axe-core\/playwright|axe-core)$/, licence: 'MPL-2.0', why: 'looks at the page in tests, unchanged' },
  {
    name: /^lightningcss(-|$)/,
    licence: 'MPL-2.0',
    why: 'Vite builds with it, unchanged; nothing of it is in what it builds',
  },
  { name: /^caniuse-lite$/, licence: 'CC-BY-4.0', why: 'data that tools of tests look browsers up in' },
]

/** Of "A OR B" one is enough, of "A AND B" both are needed. */
export function isAllowed(expression: string): boolean {
  const bare = expression.replace(/^\((.*)\)$/, '$1')
  if (/[()]/.test(bare)) return false
  return bare.split(' OR ').some((choice) => choice.split(' AND ').every((licence) => ALLOWED.has(licence)))
}

const isExcepted = ({ name, licence, shipped }: Dependency): boolean =>
  EXCEPTIONS.some((one) => one.name.test(name) && one.licence === licence && (one.shipped === true || !shipped))

/** Those whose licence nobody has agreed to, each with what is to be said of it. */
export const refused = (all: readonly Dependency[]): string[] =>
  all
    .filter((one) => !(one.licence !== null && isAllowed(one.licence)) && !isExcepted(one))
    .map(
      ({ name, version, licence, shipped, path }) =>
        `${name} ${version} (${path}, ${shipped ? 'shipped' : 'development'}): ${licence ?? 'names no licence'}`,
    )

/** Exceptions that nothing needs any more. */
export const unused = (all: readonly Dependency[]): string[] =>
  EXCEPTIONS.filter(({ name, licence }) => !all.some((one) => name.test(one.name) && one.licence === licence)).map(
    ({ name }) => String(name),
  )

/** @throws with the name of each package whose licence is not allowed. */
export async function checkLicences(root: string): Promise<string> {
  const all = await dependencies(root)
  const bad = refused(all)
  if (bad.length === 0) return `The licences of all ${all.length} dependencies are allowed`
  throw new Error(`Licences that release/licences.ts does not allow:\n${bad.map((line) => `  ${line}`).join('\n')}`)
}

if (import.meta.main) {
  try {
    process.stdout.write(`${await checkLicences(fileURLToPath(new URL('..', import.meta.url)))}\n`)
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`)
    process.exitCode = 1
  }
}
