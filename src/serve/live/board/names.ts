/** Texts by small numbers: each is there once, as long as somebody holds it. */
export interface Names {
  readonly size: number
  /** One above the largest number that was ever given. */
  readonly end: number
  /** Its number, held once more. */
  hold(text: string): number
  /** Gives up one hold; with the last one the number is free for another text. */
  release(number: number): void
  /** -1: nobody holds it. */
  numberOf(text: string): number
  textOf(number: number): string
}

export function createNames(): Names {
  const numbers = new Map<string, number>()
  const texts: string[] = []
  const holds: number[] = []
  const free: number[] = []
  /** Mostly the same text is looked up a few times in a row. */
  let last: { text: string | null; number: number } = { text: null, number: -1 }

  const numberOf = (text: string) => {
    if (last.text === text) return last.number
    const number = numbers.get(text) ?? -1
    if (number >= 0) last = { text: texts[number] as string, number }
    return number
  }
  const add = (text: string) => {
    const own = ownCopy(text)
    const number = free.pop() ?? texts.length
    numbers.set(own, number)
    texts[number] = own
    holds[number] = 0
    return number
  }
  const holdNumber = (number: number) => {
    holds[number] = (holds[number] as number) + 1
    return number
  }

  return {
    get size() {
      return numbers.size
    },
    get end() {
      return texts.length
    },
    hold(text) {
      const known = numberOf(text)
      return holdNumber(known < 0 ? add(text) : known)
    },
    release(number) {
      const left = (holds[number] as number) - 1
      holds[number] = left
      if (left > 0) return
      if (last.number === number) last = { text: null, number: -1 }
      numbers.delete(texts[number] as string)
      texts[number] = ''
      free.push(number)
    },
    numberOf,
    textOf: (number) => texts[number] as string,
  }
}

/** The same text in memory of its own: a piece of a longer text would keep all of that. */
const ownCopy = (text: string): string => JSON.parse(JSON.stringify(text))
