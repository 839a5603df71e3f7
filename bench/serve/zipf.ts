/** Draws whole numbers below `count`, the smaller the likelier: the n-th with a weight of 1 / n^skew. */
export function zipf(count: number, skew: number, random: () => number = Math.random): () => number {
  const upTo = new Float64Array(count)
  let sum = 0
  for (let i = 0; i < count; i++) {
    sum += 1 / (i + 1) ** skew
    upTo[i] = sum
  }
  return () => {
    const wanted = random() * sum
    let low = 0
    let high = count - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((upTo[middle] as number) < wanted) low = middle + 1
      else high = middle
    }
    return low
  }
}
