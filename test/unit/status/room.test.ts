import { expect, test } from '@jest/globals'
import { createRoom } from '../../../src/status/room.ts'

/** Works that go on until they are told to end. */
function works() {
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const work = (name: string) => () => {
    begun.push(name)
    return new Promise<void>((end) => ends.set(name, end))
  }
  const end = async (name: string) => {
    ends.get(name)?.()
    await new Promise(setImmediate)
  }
  return { begun, work, end }
}

test('small works go on side by side, as many as fit; the others follow in order', async () => {
  const room = createRoom(10)
  const { begun, work, end } = works()
  for (const [name, size] of [
    ['a', 4],
    ['b', 6],
    ['c', 5],
    ['d', 1],
  ] as const)
    room(size, work(name))
  await new Promise(setImmediate)
  expect(begun).toEqual(['a', 'b'])
  await end('a')
  expect(begun).toEqual(['a', 'b'])
  await end('b')
  expect(begun).toEqual(['a', 'b', 'c', 'd'])
})

test('one that never fits goes alone', async () => {
  const room = createRoom(10)
  const { begun, work, end } = works()
  for (const [name, size] of [
    ['a', 1],
    ['large', 11],
    ['b', 1],
  ] as const)
    room(size, work(name))
  await end('a')
  expect(begun).toEqual(['a', 'large'])
  await end('large')
  expect(begun).toEqual(['a', 'large', 'b'])
})

test('it gives what the work gives, and one that fails makes room too', async () => {
  const room = createRoom(1)
  const failed = room(1, () => Promise.reject(new Error('no')))
  const worked = room(1, async () => 'yes')
  await expect(failed).rejects.toThrow('no')
  expect(await worked).toBe('yes')
})
