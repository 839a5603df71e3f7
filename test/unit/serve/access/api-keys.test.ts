import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals'
import { createApiKeys } from '../../../../src/serve/access/api-keys.ts'
import type { KeyEntry } from '../../../../src/serve/access/key-entry.ts'
import { makeKey } from '../../../../src/serve/access/make-key.ts'
import { SettingsError } from '../../../../src/settings.ts'
import { newClock, newLog } from './issuer.ts'

const directory = mkdtempSync(join(tmpdir(), 'api-keys-'))
const file = join(directory, 'keys.json')
afterAll(() => rmSync(directory, { recursive: true }))

const mobile = makeKey('mobile-backend', ['events:read'], ['10001'], null)
const dashboard = makeKey('dashboard', ['status:read'], null, null)

let clock: ReturnType<typeof newClock>
let logged: ReturnType<typeof newLog>
beforeEach(() => {
  clock = newClock()
  logged = newLog()
  rmSync(file, { force: true })
  write(mobile.entry)
})

/** As a careful operator does it: the file is never half written. */
function replace(text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}
const write = (...keys: KeyEntry[]) => replace(JSON.stringify({ keys }))
const open = () => createApiKeys(file, logged.log, clock.now)

/** Long enough for the file to be looked at again. */
const wait = () => clock.pass(3_000)

const INVALID = { refused: 'invalid', detail: expect.any(String) }

describe('an API key', () => {
  test('says who its caller is, what he may do, and where', async () => {
    const check = await open()
    expect(await check(mobile.key)).toEqual({
      id: 'mobile-backend',
      scopes: new Set(['events:read']),
      zones: new Set(['10001']),
      expiresAt: null,
    })
  })

  test('that nobody has, that is changed, or that is the digest of one, is invalid', async () => {
    const check = await open()
    const { key } = mobile
    const changed = key.slice(0, -2) + (key.at(-2) === 'A' ? 'B' : 'A') + key.slice(-1)
    for (const wrong of [
      dashboard.key,
      changed,
      mobile.entry.sha256,
      key.toUpperCase(),
      `${key} `,
      `${key}A`,
      '',
      'pmk_',
    ]) {
      const answer = await check(wrong)
      expect(answer).toEqual(INVALID)
      if (wrong.length > 4) expect(JSON.stringify(answer)).not.toContain(wrong)
    }
  })

  test('is good until it expires', async () => {
    const expires = new Date(clock.now() + 60_000).toISOString()
    const { key, entry } = makeKey('short', ['events:read'], null, expires)
    write(entry)
    const check = await open()
    expect(await check(key)).toMatchObject({ id: 'short', expiresAt: Date.parse(expires) })
    clock.pass(60_000)
    expect(await check(key)).toEqual({ refused: 'invalid', detail: 'The API key has expired.' })
  })
})

describe('the keys file', () => {
  test('that is bad ends the start, with all that is wrong and what would be right', async () => {
    replace('{"keys":[{"id":"a","sha256":"x","scopes":["all"]},{"id":"b"}]}')
    const error = await open().catch((thrown) => thrown)
    expect(error).toBeInstanceOf(SettingsError)
    expect(error.message.split('\n')).toEqual([
      '4 settings are wrong:',
      expect.stringContaining(`AUTH_KEYS_FILE (${file}): keys[0] "a" has a wrong "sha256"`),
      expect.stringContaining('keys[0] "a" has a wrong "scopes"'),
      expect.stringContaining('keys[1] "b" lacks "sha256"'),
      expect.stringMatching(/keys\[1\] "b" lacks "scopes".* Example: "scopes": \["events:read"\]$/),
    ])
  })

  test('that is not there ends the start', async () => {
    rmSync(file)
    await expect(open()).rejects.toThrow(`AUTH_KEYS_FILE (${file}): cannot be read (ENOENT)`)
  })

  test('that others can read or change is warned of', async () => {
    await open()
    expect(logged.lines).toMatchObject([{ level: 'info', keys: 1 }])
    chmodSync(file, 0o640)
    await open()
    expect(logged.lines.at(-1)).toMatchObject({ level: 'info' })
    chmodSync(file, 0o644)
    await open()
    expect(logged.lines.at(-1)).toMatchObject({ level: 'warn', mode: '644', msg: expect.stringContaining('chmod 640') })
  })

  test('is read again when it changes, so that keys come and go without a restart', async () => {
    const check = await open()
    write(mobile.entry, dashboard.entry)
    expect(await check(dashboard.key)).toEqual(INVALID)
    wait()
    expect(await check(dashboard.key)).toMatchObject({ id: 'dashboard' })
    write(dashboard.entry)
    wait()
    expect(await check(mobile.key)).toEqual(INVALID)
    expect(await check(dashboard.key)).toMatchObject({ id: 'dashboard' })
    write()
    wait()
    expect(await check(dashboard.key)).toEqual(INVALID)
  })

  test('is looked at once for requests that come together', async () => {
    const check = await open()
    write(dashboard.entry)
    wait()
    const answers = await Promise.all(Array.from({ length: 50 }, () => check(dashboard.key)))
    for (const answer of answers) expect(answer).toMatchObject({ id: 'dashboard' })
    wait()
    await check(dashboard.key)
    expect(logged.lines).toMatchObject([{ keys: 1 }, { keys: 1 }])
  })

  test.each<[string, () => void]>([
    ['bad', () => replace('{"keys":[{"id":"a","scopes":["events:read"]}]}')],
    ['half written', () => replace('{"keys":[{"id":')],
    ['gone', () => rmSync(file)],
  ])('that is %s then changes nothing, is told once, and is taken when it is mended', async (_, spoil) => {
    const check = await open()
    spoil()
    for (let i = 0; i < 5; i++) {
      wait()
      expect(await check(mobile.key)).toMatchObject({ id: 'mobile-backend' })
    }
    const told = { level: 'error', problems: [expect.stringContaining(file)] }
    const errors = () => logged.lines.filter(({ level }) => level === 'error')
    expect(errors()).toMatchObject([told])
    write(dashboard.entry)
    wait()
    expect(await check(dashboard.key)).toMatchObject({ id: 'dashboard' })
    expect(await check(mobile.key)).toEqual(INVALID)
    spoil()
    wait()
    expect(await check(dashboard.key)).toMatchObject({ id: 'dashboard' })
    expect(errors()).toMatchObject([told, told])
  })
})
