/** Numbers from 0 to 1 that depend on the seed alone (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A whole number from `min` to below `end`. */
export function wholeBetween(random: () => number, min: number, end: number): number {
  return min + Math.floor(random() * (end - min))
}

/** At most `countMax` of the items, drawn without replacement. */
export function sample<T>(items: readonly T[], countMax: number, random: () => number): T[] {
  const rest = [...items]
  for (let index = 0; index < Math.min(countMax, rest.length); index++) {
    const other = wholeBetween(random, index, rest.length)
    ;[rest[index], rest[other]] = [rest[other]!, rest[index]!]
  }
  return rest.slice(0, countMax)
}
