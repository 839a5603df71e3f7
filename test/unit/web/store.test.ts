import { expect, test } from '@jest/globals'
import { createBell, createStore } from '../../../web/src/store.ts'

test('a store tells its changes to who watches, until that ends', () => {
  const store = createStore(1)
  const told: number[] = []
  const stop = store.watch(() => told.push(store.get()))
  store.set(1)
  store.set(2)
  stop()
  store.set(3)
  expect(told).toEqual([2])
})

test('a watcher may end itself or others while it is told', () => {
  const store = createStore(0)
  const told: string[] = []
  const stops = ['a', 'b'].map((name) =>
    store.watch(() => {
      told.push(name)
      for (const stop of stops) stop()
    }),
  )
  store.set(1)
  store.set(2)
  expect(told).toEqual(['a', 'b'])
})

test('a bell rings each time', () => {
  const bell = createBell()
  let rung = 0
  bell.on(() => rung++)
  bell.ring()
  bell.ring()
  expect(rung).toBe(2)
})
