/** Chance that can be repeated: the same seed gives the same draws on every machine. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  /** Uniform integer, both ends included. */
  int(from: number, to: number): number
  chance(share: number): boolean
  pick<T>(list: readonly [T, ...T[]]): T
  /** Time between two arrivals when `mean` is the average time: exponential, a whole number, never 0. */
  wait(mean: number): number
  /** Lower-case hexadecimal digits. */
  hex(digits: number): string
  digits(count: number): string
  uuid(): string
}

/** The generator is sfc32, its state hashed from the text of the seed. */
export function createRandom(seed: string): Random {
  const draw = sfc32(hashes(seed))
  const next = () => draw() / 4294967296
  const int = (from: number, to: number) => from + Math.floor(next() * (to - from + 1))
  const hex = (digits: number) => {
    let text = ''
    while (text.length < digits) text += draw().toString(16).padStart(8, '0')
    return text.slice(0, digits)
  }
  return {
    next,
    int,
    hex,
    chance: (share) => next() < share,
    pick: <T>(list: readonly [T, ...T[]]) => list[Math.floor(next() * list.length)] ?? list[0],
    wait: (mean) => Math.max(1, Math.round(-Math.log(1 - next()) * mean)),
    digits: (count) => {
      let text = ''
      for (let i = 0; i < count; i++) text += int(i === 0 ? 1 : 0, 9)
      return text
    },
    uuid: () => {
      const text = hex(32)
      return `${text.slice(0, 8)}-${text.slice(8, 12)}-4${text.slice(13, 16)}-a${text.slice(17, 20)}-${text.slice(20)}`
    },
  }
}

/** Four 32-bit words from a text (xmur3). */
function hashes(text: string): [number, number, number, number] {
  let h = 1779033703 ^ text.length
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ text.charCodeAt(i), 3432918353)
    h = (h << 13) | (h >>> 19)
  }
  const word = () => {
    h = Math.imul(h ^ (h >>> 16), 2246822507)
    h = Math.imul(h ^ (h >>> 13), 3266489909)
    h ^= h >>> 16
    return h >>> 0
  }
  return [word(), word(), word(), word()]
}

function sfc32([a, b, c, d]: [number, number, number, number]): () => number {
  return () => {
    const t = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return t >>> 0
  }
}
