import { describe, expect, test } from '@jest/globals'
import { runMain } from '../../support/run-main.ts'

const NEEDED = { KAFKA_BROKERS: 'localhost:9092', MONGODB_URI: 'mongodb://u:secret@localhost:27017' }

describe('the command line', () => {
  test.each([[['--help']], [['-h']], [['help']]])('%j lists the commands with an example', async (args) => {
    const { code, stdout } = await runMain(args)
    expect(code).toBe(0)
    for (const command of ['process', 'simulate', 'tail', 'config', 'dead-letters', 'Example']) {
      expect(stdout).toContain(command)
    }
  })

  test('without a command shows the help, as an error', async () => {
    expect(await runMain([])).toMatchObject({ code: 2, stdout: expect.stringContaining('Usage:') })
  })

  test('tells its version', async () => {
    expect(await runMain(['--version'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+.*\n$/),
    })
  })

  test.each(['process', 'simulate', 'tail', 'config', 'dead-letters'])('%s --help has an example', async (command) => {
    const { code, stdout } = await runMain([command, '--help'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/Examples?:/)
    expect(stdout).toContain(`pm-parking-events ${command}`)
  })

  test.each([
    [['proces'], "unknown command 'proces'"],
    [['--verbose'], "unknown option '--verbose'"],
    [['config', '--jsn'], "unknown option '--jsn'"],
    [['config', 'all'], "unexpected argument 'all'"],
    [['tail', '--kind', 'parking'], "unknown kind 'parking'"],
    [['tail', '--session'], "'--session <value>' argument missing"],
    [['dead-letters'], 'list, show or replay'],
    [['dead-letters', 'list', '--limit', 'all'], "--limit is 'all'"],
    [['dead-letters', 'show', '17'], '<partition>:<offset>'],
    [['dead-letters', 'replay', '--limit', '5'], "replay has no option '--limit'"],
    [['dead-letters', 'list', '--since', 'yesterday'], '--since'],
  ])('%j is told, with a hint to the help, and ends with 2', async (args, message) => {
    const { code, stdout, stderr } = await runMain(args, NEEDED)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(message)
    expect(stderr).toMatch(/Try: pm-parking-events .*--help/)
  })

  test.each(['process', 'tail', 'dead-letters list'])('%s names every bad setting and ends with 1', async (command) => {
    const { code, stderr } = await runMain(command.split(' '), { KAFKA_BROKERS: 'kafka', HTTP_PORT: 'x' })
    expect(code).toBe(1)
    expect(stderr).toContain('KAFKA_BROKERS has "kafka"')
    expect(stderr).toContain('HTTP_PORT is "x"')
    expect(stderr).not.toContain(' at ')
  })
})

describe('an older Node', () => {
  const pretend = (version: string) => [
    '--import',
    `data:text/javascript,Object.defineProperty(process.versions,'node',{value:'${version}'})`,
  ]

  test('is told in one line, and goes on from 20.19', async () => {
    const { code, stdout, stderr } = await runMain(['--version'], {}, pretend('20.19.0'))
    expect(stderr).toBe(
      'pm-parking-events: this is Node 20.19.0, and Node 22.22 or newer is needed: going on, untested\n',
    )
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^\d/)])
  })

  test('ends before 20.19', async () => {
    const { code, stdout, stderr } = await runMain(['--version'], {}, pretend('20.18.3'))
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^pm-parking-events: this is Node 20\.18\.3, .*\n$/)
  })
})

describe('config', () => {
  test('prints NAME=value, marks defaults and redacts secrets', async () => {
    const { code, stdout } = await runMain(['config'], { ...NEEDED, CARD_TOKEN_KEY: 'secret-of-16-characters' })
    expect(code).toBe(0)
    const lines = stdout.split('\n')
    expect(lines).toContain('KAFKA_BROKERS=localhost:9092')
    expect(lines).toContain('MONGODB_URI=mongodb://***@localhost:27017')
    expect(lines).toContain('CARD_TOKEN_KEY=***')
    expect(lines).toContain('HTTP_PORT=9464  # default')
    expect(stdout).not.toContain('secret')
  })

  test('--json is one object', async () => {
    const { code, stdout } = await runMain(['config', '--json'], { ...NEEDED, HTTP_PORT: '1' })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      settings: { KAFKA_BROKERS: 'localhost:9092', HTTP_PORT: '1', SERVE_PORT: '8080', STATE_DIR: null },
      defaults: expect.arrayContaining(['SERVE_PORT']),
      problems: [],
    })
  })

  test('asks for no MongoDB where only the status stage runs, as process does', async () => {
    expect((await runMain(['config'], { KAFKA_BROKERS: 'k:9092', STAGES: 'status' })).code).toBe(0)
    expect((await runMain(['config'], { KAFKA_BROKERS: 'k:9092', STAGES: 'ingest' })).code).toBe(1)
  })

  test('ends with 1 and names each bad setting', async () => {
    const { code, stderr } = await runMain(['config'], { ...NEEDED, HTTP_PORT: 'x', LOG_LEVEL: 'loud' })
    expect(code).toBe(1)
    expect(stderr).toContain('HTTP_PORT is "x"')
    expect(stderr).toContain('LOG_LEVEL is "loud"')
  })
})
