/** Most texts, and the longest, that are remembered; then the memory starts afresh. */
const MOST = 5000
const LONGEST = 64

/** A pure function of a text that remembers its results: the same few keys and words come with every record. */
export function remember<T>(pure: (text: string) => T): (text: string) => T {
  let known = new Map<string, T>()
  return (text) => {
    const seen = known.get(text)
    if (seen !== undefined) return seen
    const result = pure(text)
    if (text.length <= LONGEST) {
      if (known.size >= MOST) known = new Map()
      known.set(text, result)
    }
    return result
  }
}
