/** A colour as red, green, blue, 0 – 255 each. */
export type Rgb = readonly [number, number, number]

/**
 * Colours one point. `y` runs from 0 (top) to 1 (bottom), `x` from 0 to the picture's aspect ratio, so that
 * circles stay round. Writes red, green and blue (0 – 255, clamped later) to `out`.
 */
export type Scene = (x: number, y: number, out: Float64Array) => void

/** Renders a scene to raw RGB bytes, row by row. */
export function render(scene: Scene, width: number, height: number): Buffer {
  const pixels = Buffer.allocUnsafe(width * height * 3)
  const out = new Float64Array(3)
  let at = 0
  for (let row = 0; row < height; row += 1) {
    const y = (row + 0.5) / height
    for (let column = 0; column < width; column += 1) {
      scene((column + 0.5) / height, y, out)
      pixels[at] = byte(out[0]!)
      pixels[at + 1] = byte(out[1]!)
      pixels[at + 2] = byte(out[2]!)
      at += 3
    }
  }
  return pixels
}

function byte(value: number): number {
  return Math.max(0, Math.min(value, 255))
}

/** A colour ramp through evenly spaced stops; `t` outside 0 – 1 takes the nearest end. */
export interface Ramp {
  paint(t: number, out: Float64Array): void
}

export function ramp(...stops: readonly Rgb[]): Ramp {
  const steps = 1023
  const table = new Float64Array((steps + 1) * 3)
  for (let i = 0; i <= steps; i += 1) {
    const position = (i / steps) * (stops.length - 1)
    const index = Math.min(Math.floor(position), stops.length - 2)
    const from = stops[index]!
    const to = stops[index + 1]!
    for (let c = 0; c < 3; c += 1) {
      table[i * 3 + c] = from[c]! + (to[c]! - from[c]!) * (position - index)
    }
  }
  return {
    paint(t, out) {
      const i = Math.round(clamp(t) * steps) * 3
      out[0] = table[i]!
      out[1] = table[i + 1]!
      out[2] = table[i + 2]!
    },
  }
}

export function rgb(hex: string): Rgb {
  const value = Number.parseInt(hex.slice(1), 16)
  return [value >> 16, (value >> 8) & 255, value & 255]
}

/** Mixes `colour` into `out`; `amount` 0 leaves it as it is, 1 replaces it. */
export function mix(out: Float64Array, colour: Rgb, amount: number): void {
  out[0] = out[0]! + (colour[0] - out[0]!) * amount
  out[1] = out[1]! + (colour[1] - out[1]!) * amount
  out[2] = out[2]! + (colour[2] - out[2]!) * amount
}

/** Adds light of one colour. */
export function light(out: Float64Array, colour: Rgb, amount: number): void {
  out[0] = out[0]! + colour[0] * amount
  out[1] = out[1]! + colour[1] * amount
  out[2] = out[2]! + colour[2] * amount
}

export function shade(out: Float64Array, factor: number): void {
  out[0] = out[0]! * factor
  out[1] = out[1]! * factor
  out[2] = out[2]! * factor
}

export function clamp(value: number): number {
  return Math.max(0, Math.min(value, 1))
}

/** 0 below `from`, 1 above `to`, smooth between. */
export function smooth(from: number, to: number, value: number): number {
  const t = clamp((value - from) / (to - from))
  return t * t * (3 - 2 * t)
}
