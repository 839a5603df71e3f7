import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { pino } from 'pino'
import type { Head } from '../../../../src/status/fold.ts'
import { directoryOf, openHeadsOnDisk } from '../../../../src/status/heads/disk.ts'
import { type Heads, HeadsError } from '../../../../src/status/heads/heads.ts'
import { headsOpener } from '../../../../src/status/heads/open.ts'
import { anyChanges, describeHeads } from '../../../support/heads-conformance.ts'
import { head, mark } from '../../../support/heads-example.ts'

const stateDir = mkdtempSync(join(tmpdir(), 'heads-'))
afterAll(() => rmSync(stateDir, { recursive: true, force: true }))

const said: string[] = []
const log = pino({ level: 'warn' }, { write: (line) => said.push(JSON.parse(line).reason) })
let partition = 0
const open = (now = Date.now) => openHeadsOnDisk({ stateDir, topic: 'updates', partition, log, now })
const dir = () => directoryOf({ stateDir, topic: 'updates', partition })
const files = () => readdirSync(dir()).sort()

beforeEach(() => {
  partition++
  said.length = 0
})

describeHeads('on disk', () => {
  partition++
  return open()
})

/** What a kill leaves: the files as they are now, for the next opening. */
function kill(heads: Heads): void {
  cpSync(dir(), `${dir()}-killed`, { recursive: true })
  heads.discard()
  cpSync(`${dir()}-killed`, dir(), { recursive: true })
  rmSync(`${dir()}-killed`, { recursive: true })
}

const many = (from: number, to: number, revision: number): [string, Head][] =>
  Array.from({ length: to - from }, (_, i) => [`session ${from + i}`, head(revision, i % 60)])

describe('heads on disk, opened again', () => {
  test('are all there after a close, with their mark', () => {
    const heads = open()
    heads.put(many(0, 1_000, 1), mark(999))
    heads.put(many(500, 1_000, 2), mark(1_500))
    heads.put([['session 0', null]], mark(1_501))
    heads.close()
    const again = open()
    expect([again.size, again.mark]).toEqual([999, mark(1_501)])
    expect(again.get('session 0')).toBeUndefined()
    expect(again.get('session 1')).toEqual(head(1, 1))
    expect(again.get('session 999')).toEqual(head(2, 499 % 60))
    again.close()
    expect(said).toEqual([])
  })

  test('are all there after a kill', () => {
    const heads = open()
    heads.put(many(0, 1_000, 1), mark(999))
    heads.put(many(500, 1_000, 2), mark(1_500))
    kill(heads)
    const again = open()
    expect([again.size, again.mark]).toEqual([1_000, mark(1_500)])
    expect(again.get('session 500')).toEqual(head(2))
    again.close()
    expect(said).toEqual([])
  })

  test('are what a plain map would be, whatever is put, however often they are closed, killed and opened', () => {
    const step = fc.oneof({ weight: 3, arbitrary: anyChanges }, fc.constantFrom('close' as const, 'kill' as const))
    const property = (steps: ([string, Head | null][] | 'close' | 'kill')[]) => {
      partition++
      let heads = open()
      const plain = new Map<string, Head>()
      for (const [offset, one] of steps.entries()) {
        if (Array.isArray(one)) {
          heads.put(one, mark(offset))
          for (const [key, value] of one) value === null ? plain.delete(key) : plain.set(key, value)
          continue
        }
        if (one === 'close') heads.close()
        else kill(heads)
        heads = open()
        expect(heads.size).toBe(plain.size)
        for (const [key, value] of plain) expect(heads.get(key)).toEqual(value)
      }
      heads.discard()
    }
    fc.assert(fc.property(fc.array(step, { maxLength: 12 }), property), { numRuns: 40 })
    expect(said).toEqual([])
  })

  test('outgrow their first log: what is outdated goes, and what is not stays', () => {
    const heads = open()
    heads.put(many(3_000, 3_500, 1), mark(1))
    for (let revision = 1; revision <= 30; revision++) heads.put(many(0, 3_000, revision), mark(revision * 3_000))
    const bytes = files().reduce((sum, file) => sum + readFileSync(join(dir(), file)).length, 0)
    expect(bytes).toBeLessThan(6 * 2 ** 20)
    expect(files().some((file) => file.endsWith('-0.log'))).toBe(false)
    kill(heads)
    const again = open()
    expect([again.size, again.mark]).toEqual([3_500, mark(90_000)])
    const got = Array.from({ length: 3_500 }, (_, i) => again.get(`session ${i}`))
    const right = [...many(0, 3_000, 30), ...many(3_000, 3_500, 1)].map(([, value]) => value)
    expect(isDeepStrictEqual(got, right)).toBe(true)
    again.close()
    expect(said).toEqual([])
  })

  test('begin anew when nothing was written for most of a day, or in the future: tombstones may have gone meanwhile', () => {
    for (const hours of [21, -1]) {
      const heads = open()
      heads.put([['A', head(1)]], mark(1))
      heads.close()
      const later = open(() => Date.now() + hours * 3_600_000)
      expect([later.size, later.mark]).toEqual([0, null])
      later.discard()
    }
    expect(said).toEqual([expect.stringMatching(/written last 21 hours ago/), expect.stringMatching(/-1 hours ago/)])
  })

  test('stay new while they are looked through, though nothing moves', () => {
    let clock = Date.now()
    const heads = open(() => clock)
    heads.put([['A', head(1)]], mark(1))
    for (let hour = 0; hour < 48; hour++) {
      clock += 3_700_000
      heads.due(0, 100)
    }
    kill(heads)
    const again = open(() => clock)
    expect([again.size, again.mark]).toEqual([1, mark(1)])
    again.close()
  })
})

describe('two owners of the heads of one lane', () => {
  test('one that wakes up late changes nothing of the other, alive or opened again', () => {
    const zombie = open()
    zombie.put([['A', head(1)], ['B', head(1)]], mark(2)) // biome-ignore format: one chunk
    const owner = open()
    owner.put([['A', head(2)]], mark(3))
    zombie.put([['A', head(9)], ['B', head(9)], ['C', head(9)]], null) // biome-ignore format: one chunk
    zombie.close()
    expect(['A', 'B', 'C'].map((key) => owner.get(key)?.revision)).toEqual([2, 1, undefined])
    owner.put([['B', head(2)]], mark(4))
    owner.close()
    const again = open()
    expect(['A', 'B', 'C'].map((key) => again.get(key)?.revision)).toEqual([2, 2, undefined])
    expect(again.mark).toEqual(mark(4))
    again.close()
  })

  test('one that wakes up late and cleans up costs the other a restore at most', () => {
    const zombie = open()
    zombie.put(many(0, 3_000, 1), mark(1))
    const owner = open()
    owner.put([['A', head(1)]], mark(2))
    for (let revision = 2; revision < 20; revision++) zombie.put(many(0, 3_000, revision), null)
    zombie.close()
    expect(owner.get('session 7')).toEqual(head(1, 7))
    owner.close()
    const again = open()
    // All that stands behind an earlier mark is read from the topic again.
    if (again.mark?.offset === 2n) expect([again.get('A'), again.get('session 7')]).toEqual([head(1), head(1, 7)])
    else expect([null, mark(1)]).toContainEqual(again.mark)
    again.close()
  })
})

describe('a store that is damaged is discarded, never believed', () => {
  const fill = () => {
    const heads = open()
    heads.put(many(0, 300, 1), mark(299))
    heads.put(many(100, 300, 2), mark(499))
    return heads
  }
  const expected = (i: number) => (i < 100 ? head(1, i % 60) : head(2, (i - 100) % 60))

  /** Every answer is right, or HeadsError is thrown and the next opening begins anew. True: nothing was lost. */
  function isRightOrNew(): boolean {
    const heads = open()
    try {
      const got = Array.from({ length: 300 }, (_, i) => heads.get(`session ${i}`))
      // What is missing stands behind the mark, and is read from the topic again.
      const right = {
        499: got.map((_, i) => expected(i)),
        299: got.map((_, i) => head(1, i % 60)),
        none: got.map(() => undefined),
      }[String(heads.mark?.offset ?? 'none')]
      expect(isDeepStrictEqual(got, right)).toBe(true)
      return heads.mark?.offset === 499n
    } catch (error) {
      if (!(error instanceof HeadsError)) throw error
      expect(error.isDamaged).toBe(true)
      heads.close()
      const anew = open()
      expect([anew.size, anew.mark]).toEqual([0, null])
      anew.close()
      return false
    } finally {
      heads.close()
    }
  }

  test.each(['closed', 'killed'])('whichever byte is flipped after it was %s', (how) => {
    const heads = fill()
    if (how === 'closed') heads.close()
    else kill(heads)
    const sound = new Map(files().map((file) => [file, readFileSync(join(dir(), file))]))
    let lost = 0
    let tried = 0
    for (const [file, bytes] of sound) {
      for (let at = 0; at < bytes.length; at += 1 + ((tried * 7) % 239)) {
        rmSync(dir(), { recursive: true, force: true })
        mkdirSync(dir())
        for (const [name, content] of sound) writeFileSync(join(dir(), name), content)
        const flipped = Buffer.from(bytes)
        flipped[at] = (flipped[at] as number) ^ (1 << (tried % 8))
        writeFileSync(join(dir(), file), flipped)
        if (!isRightOrNew()) lost++
        tried++
      }
    }
    expect(tried).toBeGreaterThan(150)
    expect(lost).toBeGreaterThan(tried / 4)
  })

  test('however it is cut short', () => {
    for (let share = 0; share < 20; share++) {
      partition++
      fill().close()
      const file = files()[share % files().length] as string
      truncateSync(join(dir(), file), Math.floor((readFileSync(join(dir(), file)).length * share) / 20))
      isRightOrNew()
    }
  })

  test('whichever file is gone, or all', () => {
    fill().close()
    for (const file of [...files(), '.']) {
      partition++
      fill().close()
      const at = file === '.' ? dir() : join(dir(), files()[files().indexOf(file)] ?? (files()[0] as string))
      rmSync(at, { recursive: true })
      expect(isRightOrNew()).toBe(false)
    }
  })

  test('when its form is another', () => {
    fill().close()
    const table = join(dir(), files().find((file) => file.endsWith('.table')) as string)
    writeFileSync(table, String(readFileSync(table, 'latin1')).replace('heads 1', 'heads 9'), 'latin1')
    expect(isRightOrNew()).toBe(false)
    expect(said).toEqual([expect.stringMatching(/has the form "heads 9/)])
  })

  test('when it is cut while it is open', () => {
    const small = fill()
    small.close()
    const heads = open()
    for (const file of files()) truncateSync(join(dir(), file), 100)
    expect(() => heads.get('session 200')).toThrow(HeadsError)
    heads.close()
    expect(existsSync(dir())).toBe(false)
    expect(open().size).toBe(0)
  })
})

test('a disk that is full is told as such, nothing that was put before is lost, and it goes on when there is room', () => {
  const script = fileURLToPath(new URL('../../../support/heads-until-full.ts', import.meta.url))
  const full = join(stateDir, 'full')
  // A limit on the size of files fails within a write, as a full disk does.
  const limited = `trap '' XFSZ; ulimit -f 160; exec "$0" --no-warnings "$@"`
  const { stdout, stderr } = spawnSync('sh', ['-c', limited, process.execPath, script, full], { encoding: 'utf8' })
  expect(stderr).toBe('')
  const told = JSON.parse(stdout)
  expect(told).toMatchObject({ name: 'HeadsError', isDamaged: false, mark: told.put - 1 })
  expect(told.message).toMatch(/updates\/0 \(STATE_DIR\) cannot be kept: EFBIG/)
  expect(told.put).toBeGreaterThan(300)
  const heads = openHeadsOnDisk({ stateDir: full, topic: 'updates', partition: 0, log })
  expect([heads.size, heads.mark]).toEqual([told.put, mark(told.put - 1)])
  heads.put([['one more', head(1)]], mark(told.put))
  expect(heads.get('session 299')).toEqual(head(1))
  heads.close()
  expect(said).toEqual([])
})

test('a directory that cannot be written is an error that names it and the remedy', () => {
  writeFileSync(join(stateDir, 'a file'), '')
  const opening = () => openHeadsOnDisk({ stateDir: join(stateDir, 'a file'), topic: 't', partition: 0, log })
  expect(opening).toThrow(HeadsError)
  expect(opening).toThrow(/a file.*STATE_DIR.*To mend it, let this process write there/)
  const starting = () => headsOpener(join(stateDir, 'a file', 'below'), 't', log)
  expect(starting).toThrow(/^STATE_DIR .*a file.below cannot be used: .*Let this process write there, name another/)
})
