import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { createCommitter, type NextOffset } from '../../../src/stream/committer.ts'

const log = pino({ level: 'silent' })
const at = (partition: number, offset: number): NextOffset => ({ topic: 't', partition, offset: String(offset) })

/** A broker that answers when it is told to. */
function broker() {
  const requests: { offsets: NextOffset[]; answer: () => void; refuse: (error: Error) => void }[] = []
  const commit = (offsets: NextOffset[]) =>
    new Promise<void>((answer, refuse) => requests.push({ offsets, answer, refuse }))
  return { requests, commit, asked: () => requests.map(({ offsets }) => offsets) }
}
const turnOfTheLoop = () => sleep(1)

describe('offsets are committed behind the work', () => {
  test('at once, then at most one request at a time, with the newest offset of each partition', async () => {
    const { requests, commit, asked } = broker()
    const committer = createCommitter(commit, log)
    committer.add(at(0, 1))
    for (const offset of [2, 3]) committer.add(at(0, offset))
    committer.add(at(1, 7))
    await sleep(150)
    expect(asked()).toEqual([[at(0, 1)]])
    requests[0]?.answer()
    await sleep(20)
    expect(requests).toHaveLength(1)
    await sleep(150)
    expect(asked().slice(1)).toEqual([[at(0, 3), at(1, 7)]])
  })

  test('a flush waits for the request on its way and for one of the rest', async () => {
    const { requests, commit, asked } = broker()
    const committer = createCommitter(commit, log)
    committer.add(at(0, 1))
    committer.add(at(0, 2))
    let isFlushed = false
    const flushed = committer.flush().then(() => {
      isFlushed = true
    })
    requests[0]?.answer()
    await turnOfTheLoop()
    expect([isFlushed, asked().length]).toEqual([false, 2])
    requests[1]?.answer()
    await flushed
    expect(asked()[1]).toEqual([at(0, 2)])
  })

  test('what was refused goes along again, unless a newer offset has come; a flush does not wait for that', async () => {
    const { requests, commit, asked } = broker()
    const committer = createCommitter(commit, log)
    committer.add(at(0, 1))
    committer.add(at(1, 1))
    requests[0]?.answer()
    await sleep(120)
    committer.add(at(0, 2))
    requests[1]?.refuse(new Error('the coordinator is away'))
    await turnOfTheLoop()
    const flushed = committer.flush()
    await turnOfTheLoop()
    expect(asked()).toEqual([[at(0, 1)], [at(1, 1)], [at(1, 1), at(0, 2)]])
    requests[2]?.refuse(new Error('still away'))
    await flushed
    expect(requests).toHaveLength(3)
  })

  test('what is forgotten does not come back, also when its request is refused afterwards', async () => {
    const { requests, commit, asked } = broker()
    const committer = createCommitter(commit, log)
    committer.add(at(0, 1))
    committer.add(at(1, 1))
    committer.forget()
    requests[0]?.refuse(new Error('ILLEGAL_GENERATION'))
    await committer.flush()
    expect(asked()).toEqual([[at(0, 1)]])
    committer.add(at(0, 9))
    const flushed = committer.flush()
    await turnOfTheLoop()
    requests[1]?.answer()
    await flushed
    expect(asked()[1]).toEqual([at(0, 9)])
  })
})
