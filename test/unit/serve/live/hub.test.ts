import { afterEach, describe, expect, test } from '@jest/globals'
import { positionText } from '../../../../src/serve/live/position.ts'
import { Client, EVERYTHING, PLAIN, Topic, turns } from './stream-model.ts'

describe('a client', () => {
  let topic: Topic
  const clients: Client[] = []
  const comes = (filter = EVERYTHING, begin: number[] | null = null) => {
    const it = new Client(topic.hub, filter, begin)
    clients.push(it)
    it.connect()
    return it
  }
  afterEach(() => {
    for (const it of clients.splice(0)) it.disconnect()
  })

  test('that comes back finds nothing missing where a partition has no update at all', async () => {
    topic = new Topic(3, 10)
    topic.publish(1, [PLAIN])
    const it = comes(EVERYTHING, [0, 0, 0])
    await it.joined
    topic.publish(1, [PLAIN])
    await turns(2)
    expect(it.seen).toEqual(['1/0', '1/1'])
    it.connect()
    await it.joined
    topic.publish(2, [PLAIN])
    topic.publish(0, [PLAIN])
    await turns(2)
    expect(it.seen.slice(2)).toEqual(['2/0', '0/0'])
  })

  test('gets what a partition holds that was added after it left', async () => {
    topic = new Topic(3, 10)
    topic.publish(0, [PLAIN])
    const it = comes(EVERYTHING, [1])
    await it.joined
    it.disconnect()
    topic.publish(2, [PLAIN, PLAIN])
    it.connect()
    await it.joined
    expect(it.seen).toEqual(['2/0', '2/1'])
  })

  test('moves on over markers, by heartbeats too', async () => {
    topic = new Topic(2, 10)
    const it = comes()
    await it.joined
    topic.publish(1, [PLAIN, null])
    await turns(2)
    expect(it.lastId).toBe('0.1')
    topic.publish(1, [null, null])
    topic.hub.beat(it.connection as never)
    await turns(2)
    expect(it.lastId).toBe('0.4')
  })

  test('with a position that lies ahead is waited for, then told so, and begins now', async () => {
    topic = new Topic(2, 10)
    topic.publish(0, [PLAIN])
    const it = comes(EVERYTHING, [2, 0])
    await it.joined
    expect([it.events, it.seen, it.lastId]).toEqual([['reset'], [], '1'])
    topic.publish(0, [PLAIN])
    await turns(2)
    expect(it.seen).toEqual(['0/1'])
  })

  test('with a position that was not read here yet goes on there when it is, however long Kafka is away', async () => {
    topic = new Topic(1, 10, [], 1)
    topic.isAway = true
    const it = comes(EVERYTHING, [1])
    await new Promise((resolve) => setTimeout(resolve, 600))
    expect([it.events, it.seen]).toEqual([[], []])
    topic.publish(0, [PLAIN, PLAIN])
    await it.joined
    expect([it.events, it.seen]).toEqual([[], ['0/1']])
  })

  test('that may not see cards gets none', async () => {
    topic = new Topic(1, 10)
    const texts: string[] = []
    const connection = {
      ...{ filter: { ...EVERYTHING, showsCards: false }, isGone: false, waiting: () => 0, drained: async () => {} },
      deliver: (frames: readonly Uint8Array[]) => void texts.push(Buffer.concat(frames).toString()),
      drop: () => {},
    }
    topic.publish(0, [{ ...PLAIN, card: 'tok_secret' }])
    await topic.hub.join(connection, [0])
    topic.publish(0, [{ ...PLAIN, card: 'tok_secret' }])
    await turns(2)
    expect(texts.join('').match(/event: status/g)).toHaveLength(2)
    expect(texts.join('')).not.toContain('tok_secret')
    expect(texts.join('')).not.toContain('"card"')
    expect(JSON.parse(/data: (.*)/.exec(texts.join(''))?.[1] ?? '')).toMatchObject({ session_id: 's1', zone_id: 'Z1' })
  })

  test('that reads nothing is dropped, others are not held up, and it may come back', async () => {
    topic = new Topic(1, 50)
    const [slow, other] = [comes(), comes()]
    await Promise.all([slow.joined, other.joined])
    const connection = slow.connection as NonNullable<Client['connection']>
    connection.isStalled = true
    for (let i = 0; i < 100 && !connection.isGone; i++) {
      topic.publish(0, [PLAIN])
      await turns(2)
      expect(other.seen).toHaveLength(i + 1)
      expect(connection.waiting()).toBeLessThan(200_000)
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(connection.dropped).toBe('slow')
    slow.connect()
    await slow.joined
    expect(slow.seen).toEqual(other.seen)
  })

  test('that fell behind for a moment catches up, and is not dropped', async () => {
    topic = new Topic(1, 200)
    const it = comes()
    await it.joined
    const connection = it.connection as NonNullable<Client['connection']>
    connection.isStalled = true
    for (let i = 0; i < 15; i++) topic.publish(0, [PLAIN])
    await turns(1)
    connection.flow()
    await turns(10)
    topic.publish(0, [PLAIN])
    await turns(5)
    expect(connection.isGone).toBe(false)
    expect(it.seen).toEqual(Array.from({ length: 16 }, (_, offset) => `0/${offset}`))
  })

  test('that falls behind with a heartbeat on its way never stands further back than before', async () => {
    topic = new Topic(1, 200)
    const it = comes()
    await it.joined
    const connection = it.connection as NonNullable<Client['connection']>
    connection.isStalled = true
    for (let i = 0; i < 15; i++) topic.publish(0, [PLAIN])
    await turns(1)
    topic.hub.beat(connection)
    topic.publish(0, [PLAIN, PLAIN])
    connection.flow()
    await turns(10)
    expect([it.events, it.seen.length, it.lastId]).toEqual([[], 17, 'h'])
  })

  test('is dropped when Kafka cannot be read for long', async () => {
    topic = new Topic(1, 2, [30])
    topic.failures = 1_000
    const it = comes(EVERYTHING, [0])
    await it.joined
    expect(it.connection?.dropped).toBe('unavailable')
  })

  test('that comes when all is closed is told so', async () => {
    topic = new Topic(1, 2, [30])
    const [one, behind] = [comes(), comes(EVERYTHING, [0])]
    await one.joined
    topic.hub.close()
    const late = comes()
    await Promise.all([behind.joined, late.joined])
    expect([one, behind, late].map(({ connection }) => connection?.dropped)).toEqual(Array(3).fill('stopping'))
    expect(topic.hub.size).toBe(0)
  })
})

describe('many that come back at once', () => {
  test('are served by few readings, each with its own', async () => {
    const topic = new Topic(3, 10, [300, 300, 300])
    const clients = Array.from({ length: 200 }, (_, i) => new Client(topic.hub, EVERYTHING, [i, 300 - i, 250]))
    for (const it of clients) it.connect()
    await Promise.all(clients.map(({ joined }) => joined))
    for (const it of clients) expect(topic.byPartition(it.seen)).toEqual(topic.wanted(it.begin ?? [], it.filter))
    expect(topic.readings).toBeLessThanOrEqual(5)
    for (const it of clients) it.disconnect()
  })

  test('do not wait for one who reads nothing', async () => {
    const topic = new Topic(1, 10, [1_000])
    const [stuck, ...others] = Array.from({ length: 5 }, () => new Client(topic.hub, EVERYTHING, [0]))
    for (const it of [stuck as Client, ...others]) it.connect()
    const connection = stuck?.connection as NonNullable<Client['connection']>
    connection.isStalled = true
    await Promise.all([stuck, ...others].map((it) => it?.joined))
    for (const it of others) expect(topic.byPartition(it.seen)).toEqual(topic.wanted([0], EVERYTHING))
    expect(connection.dropped).toBe('slow')
    for (const it of others) it.disconnect()
  })

  test('are not read for when they have gone', async () => {
    const topic = new Topic(1, 10, [10_000])
    const it = new Client(topic.hub, EVERYTHING, [0])
    it.connect()
    await turns(10)
    it.disconnect()
    await it.joined
    const { length } = it.seen
    await turns(20)
    expect(it.seen.length).toBe(length)
    expect(positionText(topic.hub.position())).toBe('7ps')
  })
})
