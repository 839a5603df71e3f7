import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from '@jest/globals'

const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const { vcs: _, $schema: __, ...config } = JSON.parse(readFileSync(fromRoot('biome.json'), 'utf8'))
const directory = mkdtempSync(join(tmpdir(), 'import-rules-'))
writeFileSync(join(directory, 'biome.json'), JSON.stringify(config))
afterAll(() => rmSync(directory, { recursive: true }))

/** What the linter says of a file of this path with this one line. */
function lint(path: string, line: string): string {
  mkdirSync(dirname(join(directory, path)), { recursive: true })
  writeFileSync(join(directory, path), `${line}\n`)
  const args = [fromRoot('node_modules/@biomejs/biome/bin/biome'), 'lint', '--error-on-warnings', path]
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: directory, encoding: 'utf8' })
  expect(stdout + stderr).toContain('Checked 1 file')
  return stdout + stderr
}

describe('the linter holds who may import whom', () => {
  test.each([
    ['src/contract/a.ts', '../operate/log.ts'],
    ['src/contract/a.ts', 'kafkajs'],
    ['src/normalize/a.ts', '../operate/log.ts'],
    ['src/normalize/a.ts', '../settings.ts'],
    ['src/normalize/a.ts', 'node:fs/promises'],
    ['src/normalize/a.ts', 'mongodb'],
    ['src/documents/merge.ts', 'mongodb'],
    ['src/documents/merge.ts', '../stream/send.ts'],
    ['src/documents/a.ts', '../normalize/place.ts'],
    ['src/status/fold.ts', 'kafkajs'],
    ['src/status/a.ts', '../documents/merge.ts'],
    ['src/decode/a.ts', '../status/fold.ts'],
    ['src/stream/a.ts', '../normalize/place.ts'],
    ['src/operate/a.ts', '../stream/send.ts'],
    ['src/settings/a.ts', '../stream/send.ts'],
    ['src/primary/a.ts', '../documents/store.ts'],
    ['src/primary/a.ts', '../normalize/time.ts'],
    ['src/primary/a.ts', '../stream/send.ts'],
    ['src/primary/a.ts', 'mongodb'],
    ['src/serve/a.ts', '../decode/decoder.ts'],
    ['src/serve/http/routes/a.ts', '../../../status/lane.ts'],
    ['src/serve/access/a.ts', '../cache/answer.ts'],
    ['src/serve/live/board/a.ts', '../live.ts'],
    ['web/src/a.ts', '../../src/serve/cursor.ts'],
    ['src/ingest.ts', './commands/process.ts'],
    ['src/status.ts', '../local/services.ts'],
    ['src/main.ts', './ingest.ts'],
    ['src/commands/a.ts', '../../local/services.ts'],
    ['test/model/a.ts', '../../src/normalize/place.ts'],
  ])('%s may not import %s', (path, source) => {
    expect(lint(path, `export { a } from '${source}'`)).toContain('noRestrictedImports')
  })

  test.each([
    ['src/normalize/a.ts', '../contract/record.ts'],
    ['src/normalize/a.ts', 'node:crypto'],
    ['src/status/a.ts', '../stream/send.ts'],
    ['src/stream/a.ts', '../settings.ts'],
    ['src/primary/a.ts', '../contract/record.ts'],
    ['src/primary/a.ts', '../operate/log.ts'],
    ['src/primary/a.ts', '../settings.ts'],
    ['src/primary/a.ts', 'mysql2/promise'],
    ['src/serve/a.ts', '../normalize/facts.ts'],
    ['src/serve/live/a.ts', '../../status/fold.ts'],
    ['src/serve/live/board/a.ts', '../../../status/heads/pack.ts'],
    ['web/src/views/a.ts', '../../../src/contract/api.ts'],
    ['src/ingest.ts', './documents/store.ts'],
    ['src/commands/a.ts', '../status/lane.ts'],
    ['src/commands/a/b.ts', '../../stream/send.ts'],
  ])('%s may import %s', (path, source) => {
    expect(lint(path, `export { a } from '${source}'`)).not.toContain('noRestrictedImports')
  })

  test('reads process.env in the settings only', () => {
    const line = 'export const a = process.env.A'
    expect(lint('src/stream/a.ts', line)).toContain('noProcessEnv')
    expect(lint('src/settings.ts', line)).not.toContain('noProcessEnv')
  })
})
