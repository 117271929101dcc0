const LENGTH_MAX = 100
/** C0, DEL and C1: a terminal obeys them. Line separators, and marks that turn the direction of writing. */
const CONTROLS = /[\p{Cc}\p{Cf}\u2028\u2029]/gu

/** Text from outside as a log may hold it: without control characters, and short. */
export function printable(text: string): string {
  const clean = text.replace(CONTROLS, '\ufffd')
  return clean.length > LENGTH_MAX ? `${clean.slice(0, LENGTH_MAX)}…` : clean
}
