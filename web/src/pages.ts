import type { Api } from './api.ts'

export interface Pages<T> {
  items: T[]
  /** There are further pages. */
  more: boolean
}

/** Reads a list page by page until there is enough of it. */
export async function readPages<T>(
  api: Pick<Api, 'get'>,
  path: string,
  field: string,
  enough: (items: readonly T[], pages: number) => boolean,
  asking: { signal: AbortSignal; exact?: boolean },
): Promise<Pages<T>> {
  const items: T[] = []
  let next: string | null = path
  for (let pages = 1; next !== null; pages++) {
    const answer: { body: Record<string, T[]>; next: string | null } = await api.get(next, asking)
    items.push(...(answer.body[field] ?? []))
    next = answer.next
    if (enough(items, pages)) break
  }
  return { items, more: next !== null }
}
