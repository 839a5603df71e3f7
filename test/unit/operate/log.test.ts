import { describe, expect, test } from '@jest/globals'
import { logLevel } from 'kafkajs'
import { createLog, kafkaLogCreator } from '../../../src/operate/log.ts'

/** A log and the lines that it wrote. */
function logInto(level = 'debug') {
  const lines: Record<string, unknown>[] = []
  const log = createLog(level, { write: (text: string) => lines.push(JSON.parse(text)) })
  return { log, lines }
}

describe('the log', () => {
  test('writes one JSON line an event, with time and level by name', () => {
    const { log, lines } = logInto()
    log.info({ topic: 'a', partition: 3 }, 'joined')
    expect(lines).toEqual([{ level: 'info', time: expect.any(String), topic: 'a', partition: 3, msg: 'joined' }])
    expect(new Date(String(lines[0]?.time)).toISOString()).toBe(lines[0]?.time)
  })

  test('writes no secret and no record data, whoever logs it', () => {
    const { log, lines } = logInto()
    log.warn({ sasl: { password: 'hunter2' }, kafka: { password: 'hunter2' }, uri: 'hunter2', value: 'hunter2' }, 'x')
    log.error({ err: new Error('E11000 dup key { _id: "4111111111111111" }') }, 'write failed')
    const text = JSON.stringify(lines)
    expect(text).not.toContain('hunter2')
    expect(text).not.toContain('4111111111111111')
    expect(lines[1]).toMatchObject({ err: { message: 'E11000 dup key { _id: "[card number]" }' } })
  })

  test('is quiet below its level', () => {
    const { log, lines } = logInto('error')
    log.warn('no')
    expect(lines).toEqual([])
  })
})

describe("kafkajs's lines", () => {
  const entry = (level: logLevel, message: string, extra: object = {}) => ({
    namespace: 'Connection',
    level,
    label: 'X',
    log: { timestamp: '', message, ...extra },
  })

  function kafkaInto(level = 'debug') {
    let now = 0
    const { log, lines } = logInto(level)
    const write = kafkaLogCreator(log, () => now)(logLevel.INFO)
    return { write, lines, advance: (ms: number) => (now += ms) }
  }

  test('carry only fields that hold no data', () => {
    const { write, lines } = kafkaInto()
    write(
      entry(logLevel.WARN, 'odd', {
        topic: 't',
        partition: 1,
        payload: 'card',
        password: 'p',
        sasl: {},
        error: 'gone',
      }),
    )
    expect(lines).toEqual([
      {
        level: 'warn',
        time: expect.any(String),
        from: 'kafkajs',
        topic: 't',
        partition: 1,
        error: 'gone',
        msg: 'Connection: odd',
      },
    ])
  })

  test('are warnings where kafkajs says error, since it tries again or tells its caller', () => {
    const { write, lines } = kafkaInto()
    write(entry(logLevel.ERROR, 'Connection error: ECONNREFUSED'))
    write(entry(logLevel.ERROR, 'Crash: KafkaJSProtocolError: x'))
    write(entry(logLevel.ERROR, 'Crash: KafkaJSProtocolError: The coordinator is loading and hence …'))
    write(
      entry(logLevel.ERROR, 'Response Heartbeat(key: 12, version: 1)', {
        error: 'The group is rebalancing, so a rejoin is needed',
      }),
    )
    write(entry(logLevel.INFO, 'Consumer has joined the group'))
    expect(lines.map(({ level }) => level)).toEqual(['warn', 'warn', 'debug', 'debug', 'debug'])
  })

  test('are held back while they repeat, and counted', () => {
    const { write, lines, advance } = kafkaInto()
    for (let i = 0; i < 5; i++) write(entry(logLevel.ERROR, 'Connection error: ECONNREFUSED'))
    expect(lines).toHaveLength(1)
    advance(10_001)
    write(entry(logLevel.ERROR, 'Connection error: ECONNREFUSED'))
    expect(lines).toHaveLength(2)
    expect(lines[1]).toMatchObject({ repeated: 4 })
  })

  test('do not advise on partitioners', () => {
    const { write, lines } = kafkaInto()
    write(entry(logLevel.WARN, 'KafkaJS v2.0.0 switched default partitioner. To retain …'))
    expect(lines).toEqual([])
  })
})
