import { type Document, isMap, isScalar, type Node, type Pair, parseDocument, type Scalar } from 'yaml'

export interface Row {
  /** Dotted, from the top. */
  path: string
  /** As JSON; null: a section. */
  fallback: string | null
  meaning: string
}

/** Every value with the comment above it, in their order; a map whose entries have no comments is one value. */
export function valuesIn(text: string): Row[] {
  const document: Document = parseDocument(text)
  return isMap(document.contents) ? rowsOf(document.contents, [], document.commentBefore) : []
}

function rowsOf(map: { items: Pair[]; commentBefore?: string | null }, above: string[], first?: string | null): Row[] {
  return map.items.flatMap((pair, index) => {
    const key = pair.key as Scalar<string>
    const path = [...above, key.value]
    const comment = key.commentBefore ?? (index === 0 ? (map.commentBefore ?? first) : null)
    const value = pair.value as Node | null
    const inner = isMap(value) ? rowsOf(value as never, path) : []
    const hasInner = inner.some(({ meaning }) => meaning !== '')
    const meaning = (comment ?? '').replace(/\s*\n\s*/g, ' ').trim()
    const fallback = hasInner ? null : JSON.stringify(isScalar(value) ? value.value : (value?.toJSON() ?? null))
    const own = { path: path.join('.'), fallback, meaning }
    return hasInner ? [...(meaning === '' ? [] : [own]), ...inner] : [own]
  })
}

const cell = (text: string): string => text.replaceAll('|', '\\|')

/** The table of a README. */
export function tableOf(rows: Row[]): string {
  const lines = rows.map(({ path, fallback, meaning }) => {
    const shown = fallback === null || fallback === '""' ? '' : `\`${cell(fallback.replace(/^"(.*)"$/, '$1'))}\``
    return `| \`${path}\` | ${shown} | ${cell(meaning)} |`
  })
  return ['| value | default | meaning |', '|---|---|---|', ...lines].join('\n')
}
