/** The input of every measured task: as JSON exactly this many bytes. */
export const bodyBytes = 100

const empty = JSON.stringify({ n: 100_000_000, text: '' }).length
const text = 'x'.repeat(bodyBytes - empty)

export interface Input {
  n: number
  text: string
}

/** An input whose JSON has `bodyBytes` bytes and differs for each `n` from 0 to 899,999,999. */
export function input(n: number): Input {
  return { n: 100_000_000 + n, text }
}
