/** API keys: looked up by their digest, so that no time of an answer depends on the secret. */
import { hash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import type { Logger } from 'pino'
import { SettingsError } from '../../settings.ts'
import { type Check, invalid } from './caller.ts'
import { type EntryProblem, KEY_FORM } from './key-entry.ts'
import { type Keys, parseKeys } from './keys-file.ts'

/** A key that was taken out of the file is good for no longer than this. */
const LOOK_EVERY_MS = 3_000

/** The digest that the keys file has of a key. */
export const keyDigest = (key: string): string => hash('sha256', key, 'hex')

const wrongFile = (path: string, problems: readonly EntryProblem[]): SettingsError =>
  new SettingsError(
    problems.map(({ problem, example }) => ({ name: 'AUTH_KEYS_FILE', problem: `(${path}): ${problem}`, example })),
  )

/** What `work` gives; an error of the file system becomes one that a person can read. */
async function ofFile<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException
    throw wrongFile(path, [{ problem: `cannot be read (${code})`, example: 'AUTH_KEYS_FILE=/run/secrets/keys.json' }])
  }
}

/** What tells one content of a file from the next without reading it, and who else may get at it. */
async function lookAt(path: string): Promise<{ version: string; mode: number }> {
  const { mode, ino, size, mtimeMs, ctimeMs } = await ofFile(path, stat(path))
  return { version: [ino, size, mtimeMs, ctimeMs].join(' '), mode: mode & 0o777 }
}

async function readKeys(path: string): Promise<Keys> {
  const read = parseKeys(await ofFile(path, readFile(path, 'utf8')))
  if ('problems' in read) throw wrongFile(path, read.problems)
  return read.keys
}

function tell(log: Logger, path: string, keys: Keys, mode: number): void {
  log.info({ file: path, keys: keys.size }, 'API keys read')
  // A group may read it: so a Secret of Kubernetes is mounted.
  if ((mode & 0o026) !== 0) {
    log.warn(
      { file: path, mode: mode.toString(8) },
      'others than its owner can read or change AUTH_KEYS_FILE: chmod 640 it, or 600',
    )
  }
}

interface Content {
  readonly keys: Keys
  readonly version: string
}

/** What the file holds; `before` where that is the same. */
async function readIfNew(path: string, log: Logger, before: Content | null): Promise<Content> {
  // It is looked at before it is read: what changes in between is then read again.
  const { version, mode } = await lookAt(path)
  if (version === before?.version) return before
  const keys = await readKeys(path)
  tell(log, path, keys, mode)
  return { keys, version }
}

/**
 * The keys of a file that is looked at again every few seconds, when somebody asks: a new one takes the place of the old
 * one, and a bad new one is told and not taken.
 * @returns what keys are good for now
 * @throws SettingsError with all problems of the file at once
 */
async function followFile(path: string, log: Logger, now: () => number): Promise<() => Promise<Keys>> {
  let content = await readIfNew(path, log, null)
  let lookedAt = now()
  let refusal = ''
  let looking: Promise<void> | null = null

  const look = async () => {
    try {
      content = await readIfNew(path, log, content)
      refusal = ''
    } catch (error) {
      const problems = (error as SettingsError).problems.map(({ problem }) => problem)
      // Told once, not every few seconds for as long as the file is bad.
      const isTold = problems.join() === refusal
      if (!isTold) log.error({ problems }, 'AUTH_KEYS_FILE is bad now; the keys of before stay good')
      refusal = problems.join()
    }
  }
  return async () => {
    if (now() - lookedAt >= LOOK_EVERY_MS) {
      lookedAt = now()
      looking = look().finally(() => {
        looking = null
      })
    }
    if (looking !== null) await looking
    return content.keys
  }
}

/** @throws SettingsError with all problems of the file at once */
export async function createApiKeys(path: string, log: Logger, now: () => number = Date.now): Promise<Check> {
  const goodKeys = await followFile(path, log, now)
  return async (key) => {
    if (!KEY_FORM.test(key)) return invalid('The API key is not of the form pmk_ and 43 letters and digits.')
    const caller = (await goodKeys()).get(keyDigest(key))
    if (caller === undefined) return invalid('The API key is not known.')
    if (caller.expiresAt !== null && now() >= caller.expiresAt) return invalid('The API key has expired.')
    return caller
  }
}
