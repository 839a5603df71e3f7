import { expect, test } from '@jest/globals'
import type { Api } from '../../../web/src/api.ts'
import { readPages } from '../../../web/src/pages.ts'

const PAGES: Record<string, { body: unknown; next: string | null }> = {
  first: { body: { sessions: [1, 2] }, next: 'second' },
  second: { body: { sessions: [3] }, next: 'third' },
  third: { body: {}, next: null },
}
const api = { get: async (path: string) => PAGES[path] } as unknown as Pick<Api, 'get'>
const { signal } = new AbortController()

test('a list is read until there is enough of it', async () => {
  const read = (enough: (items: readonly number[], pages: number) => boolean) =>
    readPages<number>(api, 'first', 'sessions', enough, { signal })
  expect(await read((_, pages) => pages >= 1)).toEqual({ items: [1, 2], more: true })
  expect(await read((items) => items.length >= 3)).toEqual({ items: [1, 2, 3], more: true })
  expect(await read(() => false)).toEqual({ items: [1, 2, 3], more: false })
})
