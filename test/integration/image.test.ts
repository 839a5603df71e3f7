import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { MongoClient } from 'mongodb'
import { ROOT } from '../../local/build.ts'
import { hadolint } from '../support/hadolint.ts'
import { assembleImage, type Image } from '../support/image.ts'
import { watchProgress } from '../support/progress.ts'
import { newRunNames } from '../support/run-names.ts'
import { launchService, type Service, untilReady } from '../support/service.ts'
import { sharedServices } from '../support/services.ts'

const { env } = sharedServices()
const execute = promisify(execFile)
let directory: string
let image: Image

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pm-parking-image-'))
  await chmod(directory, 0o755)
  image = await assembleImage(directory)
  // As a read-only file system has it for whoever is not root.
  await execute('chmod', ['-R', 'a-w', image.root])
}, 300_000)
afterAll(async () => {
  await execute('chmod', ['-R', 'u+w', directory])
  await rm(directory, { recursive: true, force: true })
})

const inImage = (path: string) => join(image.root, path)
/** Only root may become somebody else. */
const uid = process.getuid?.() === 0 ? { uid: 65_532 } : {}

test('the Dockerfile is as its linter wants it, and ends as a user without rights', async () => {
  expect(await hadolint(join(ROOT, 'Dockerfile'))).toBe('')
  expect(image.user).toBe('65532:65532')
  expect(image.entrypoint).toEqual(['/nodejs/bin/node', '/app/dist/main.js'])
  expect(image.command).toEqual(['process'])
})

test('the image holds what the program needs to run, and nothing else', async () => {
  const lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')).packages as Record<
    string,
    { dev?: boolean }
  >
  // What lies there, whoever put it there: npm itself would speak of what it knows.
  const files = await readdir(inImage('/app/node_modules'), { recursive: true })
  const packages = files.flatMap((file) => {
    const [path] = /^(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+(?=\/package\.json$)/.exec(file) ?? []
    return path === undefined ? [] : [`node_modules/${path}`]
  })
  expect(packages.length).toBeGreaterThan(50)
  expect(packages.filter((path) => lock[path] === undefined || lock[path].dev)).toEqual([])
  expect((await readdir(inImage('/app'))).sort()).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'dist',
    'node_modules',
    'package.json',
    'schemas',
  ])
  const { stdout: size } = await execute('du', ['-sm', inImage('/app')])
  process.stdout.write(`The image holds ${packages.length} packages; /app takes ${Number.parseInt(size, 10)} MiB\n`)
  expect(Number.parseInt(size, 10)).toBeLessThan(150)
})

describe('from the image', () => {
  async function health(settings: Record<string, string>, ...more: string[]) {
    const [node = '', ...args] = image.healthCheck.map((word) => (word.startsWith('/') ? inImage(word) : word))
    return execute(node, [...args, ...more], { env: { ...image.env, ...settings }, ...uid }).then(
      ({ stdout }) => [0, stdout.trim()],
      ({ code, stdout }) => [code, stdout.trim()],
    )
  }

  const launch = (command: 'process' | 'serve', settings: Record<string, string>) =>
    launchService(
      command,
      { ...image.env, ...settings },
      {
        ...{ node: inImage('/nodejs/bin/node'), main: inImage('/app/dist/main.js') },
        ...uid,
      },
    )

  test('process and serve run without writing anything, tell their health, and end with SIGTERM', async () => {
    const names = newRunNames('image')
    const settings = { ...env, ...names }
    const services: Service[] = []
    const isReady = async (service: Service) => (await fetch(`${service.url}/readyz`)).ok
    try {
      for (const [command, variable] of [
        ['process', 'HTTP_PORT'],
        ['serve', 'SERVE_PORT'],
      ] as const) {
        const service = launch(command, { ...settings, [variable]: '0' })
        services.push(service)
        await untilReady(service, command, () => isReady(service))
        const own = { [variable]: new URL(service.url).port }
        // Of the other one nobody must answer.
        const other = { HTTP_PORT: '1', SERVE_PORT: '1', ...own }
        expect(await health(other)).toEqual([0, `${command} is alive`])
        expect(await health(other, '--ready')).toEqual([0, `${command} is ready`])
        await service.stop()
        expect((await health(other))[0]).toBe(1)
      }
    } finally {
      for (const service of services) await service[Symbol.asyncDispose]()
      await using progress = await watchProgress(env.KAFKA_BROKERS, names)
      await progress.cleanUp()
      await using mongo = new MongoClient(env.MONGODB_URI)
      await mongo.db(names.MONGODB_DATABASE).dropDatabase()
    }
    expect((await stat(inImage('/app'))).mode & 0o222).toBe(0)
  }, 120_000)
})
