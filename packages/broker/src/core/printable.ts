const LENGTH_MAX = 100
/** C0, DEL and C1, which control a terminal; line separators; and marks that change the direction of text. */
const CONTROLS = /[\p{Cc}\p{Cf}\u2028\u2029]/gu

/** Text from outside, made safe for logs: without control characters, and short. */
export function printable(text: string): string {
  const clean = text.replace(CONTROLS, '\ufffd')
  return clean.length > LENGTH_MAX ? `${clean.slice(0, LENGTH_MAX)}…` : clean
}
