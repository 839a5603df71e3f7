import { describe, expect, test } from '@jest/globals'
import type { StatusUpdate } from '../../../src/contract/status-update.ts'
import { createFeed } from '../../../web/src/feed.ts'

function setUp(most = 4) {
  const frames: (() => void)[] = []
  const feed = createFeed({ most, nextFrame: (run) => frames.push(run), now: () => 0 })
  return {
    feed,
    frames,
    add: (...ids: (string | number)[]) => {
      for (const id of ids) feed.add({ id: String(id) } as StatusUpdate)
    },
    frame: () => {
      for (const run of frames.splice(0)) run()
    },
    shown: () => feed.view.get().rows.map((row) => ('update' in row ? row.update.id : row.note)),
  }
}

describe('the feed', () => {
  test('shows the newest on top, once a frame', () => {
    const { add, frames, frame, shown } = setUp()
    add(1, 2, 3)
    expect(shown()).toEqual([])
    expect(frames).toHaveLength(1)
    frame()
    expect(shown()).toEqual(['3', '2', '1'])
  })

  test('keeps so many rows, whatever comes in one frame', () => {
    const { feed, add, frame, shown } = setUp(4)
    add(1, 2)
    frame()
    add(...Array.from({ length: 1_000 }, (_, i) => i + 10))
    frame()
    expect(shown()).toEqual(['1009', '1008', '1007', '1006'])
    expect(feed.total()).toBe(1_002)
  })

  test('stands still while it is paused, counts what waits, and shows it afterwards', () => {
    const { feed, add, frame, shown } = setUp()
    add(1)
    frame()
    feed.pause()
    add(2, 3)
    frame()
    expect(shown()).toEqual(['1'])
    expect(feed.view.get()).toMatchObject({ paused: true, waiting: 2 })
    feed.resume()
    expect(shown()).toEqual(['3', '2', '1'])
    expect(feed.view.get()).toMatchObject({ paused: false, waiting: 0 })
  })

  test('stands still while somebody reads, and stays paused after that', () => {
    const { feed, add, frame, shown } = setUp()
    feed.hold(true)
    add(1)
    frame()
    expect(shown()).toEqual([])
    feed.hold(false)
    expect(shown()).toEqual(['1'])
    feed.pause()
    feed.hold(true)
    feed.hold(false)
    add(2)
    frame()
    expect(shown()).toEqual(['1'])
  })

  test('takes an update that is sent again once', () => {
    const { feed, add, frame, shown } = setUp()
    add(1, 2, 1)
    frame()
    add(2, 3)
    frame()
    expect(shown()).toEqual(['3', '2', '1'])
    expect(feed.total()).toBe(3)
  })

  test('has notes between the updates, which are not counted', () => {
    const { feed, add, frame, shown } = setUp()
    add(1)
    feed.note('a gap')
    add(2)
    frame()
    expect(shown()).toEqual(['2', 'a gap', '1'])
    expect(feed.total()).toBe(2)
  })

  test('forgets all when it is cleared, also what waits', () => {
    const { feed, add, frame, shown } = setUp()
    feed.pause()
    add(1)
    feed.clear()
    feed.resume()
    frame()
    expect(shown()).toEqual([])
    expect(feed.view.get().waiting).toBe(0)
  })
})
