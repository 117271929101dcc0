/** Colours along the palette, which is a ring. Each is linear light, 0 – 1. */
export type LinearColour = readonly [red: number, green: number, blue: number]

/** Screens have a curve of about 2. Squares and roots are exact in every engine, so all tabs render the same bytes. */
const linear = (hex: number): LinearColour =>
  [(hex >> 16) & 255, (hex >> 8) & 255, hex & 255].map((value) => (value / 255) ** 2) as unknown as LinearColour

const STOPS: readonly (readonly [at: number, colour: LinearColour])[] = [
  [0, linear(0x04081c)],
  [0.12, linear(0x0a2a5e)],
  [0.26, linear(0x1f7fae)],
  [0.38, linear(0xd7f0e6)],
  [0.48, linear(0xfff1c4)],
  [0.58, linear(0xf6a93b)],
  [0.7, linear(0xc23a2b)],
  [0.82, linear(0x5a1446)],
  [0.92, linear(0x190a33)],
  [1, linear(0x04081c)],
]

const SIZE = 2048
const TABLE = new Float64Array((SIZE + 1) * 3)
for (let index = 0; index <= SIZE; index += 1) {
  const at = index / SIZE
  const next = Math.max(
    1,
    STOPS.findIndex(([stop]) => stop >= at),
  )
  const [from, low] = STOPS[next - 1]!
  const [to, high] = STOPS[next]!
  const share = (at - from) / (to - from)
  const smooth = share * share * (3 - 2 * share)
  for (let channel = 0; channel < 3; channel += 1)
    TABLE[index * 3 + channel] = low[channel]! + (high[channel]! - low[channel]!) * smooth
}

/** Adds the colour at `at`, of which the fraction counts, to `sum`. */
export function addColour(sum: Float64Array, at: number, light: number): void {
  const place = (at - Math.floor(at)) * SIZE
  const index = Math.floor(place)
  const share = place - index
  for (let channel = 0; channel < 3; channel += 1) {
    const low = TABLE[index * 3 + channel]!
    const high = TABLE[index * 3 + 3 + channel]!
    sum[channel]! += (low + (high - low) * share) * light
  }
}
