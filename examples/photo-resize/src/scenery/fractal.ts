import { clamp, light, mix, type Ramp, type Rgb, type Scene, shade } from './raster.ts'

interface View {
  /** The point in the middle of the picture. */
  re: number
  im: number
  /** Height of the picture in the complex plane. */
  span: number
  aspect: number
  iterations: number
}

/** Smooth escape time; negative inside the set. */
function escapeTime(zr: number, zi: number, cr: number, ci: number, iterations: number): number {
  for (let i = 0; i < iterations; i += 1) {
    const r2 = zr * zr
    const i2 = zi * zi
    if (r2 + i2 > 256) {
      return i + 1 - Math.log2(Math.log2(r2 + i2) / 2)
    }
    zi = 2 * zr * zi + ci
    zr = r2 - i2 + cr
  }
  return -1
}

function colourEscape(n: number, colours: Ramp, cycle: number, inside: Rgb, out: Float64Array): void {
  if (n < 0) {
    out.set(inside)
    return
  }
  const phase = (Math.sqrt(n) * cycle) % 2
  colours.paint(phase < 1 ? phase : 2 - phase, out)
}

export function mandelbrot(view: View, colours: Ramp, cycle: number, inside: Rgb): Scene {
  return (x, y, out) => {
    const re = view.re + (x - view.aspect / 2) * view.span
    const im = view.im + (y - 0.5) * view.span
    colourEscape(escapeTime(0, 0, re, im, view.iterations), colours, cycle, inside, out)
  }
}

export function julia(view: View, c: readonly [number, number], colours: Ramp, cycle: number, inside: Rgb): Scene {
  return (x, y, out) => {
    const re = view.re + (x - view.aspect / 2) * view.span
    const im = view.im + (y - 0.5) * view.span
    colourEscape(escapeTime(re, im, c[0], c[1], view.iterations), colours, cycle, inside, out)
  }
}

/** Newton's method on z^5 = 1: each colour is the root that a start point ends at. */
export function newton(view: View, roots: readonly Rgb[]): Scene {
  const degree = roots.length
  return (x, y, out) => {
    let zr = view.re + (x - view.aspect / 2) * view.span
    let zi = view.im + (y - 0.5) * view.span
    let steps = 0
    let glow = 0
    for (; steps < view.iterations; steps += 1) {
      let pr = 1
      let pi = 0
      for (let i = 1; i < degree; i += 1) {
        const r = pr * zr - pi * zi
        pi = pr * zi + pi * zr
        pr = r
      }
      const fr = pr * zr - pi * zi - 1
      const fi = pr * zi + pi * zr
      const size = fr * fr + fi * fi
      if (size < 1e-8) {
        break
      }
      glow += Math.exp(-Math.sqrt(size) * 2)
      const divisor = degree * (pr * pr + pi * pi) + 1e-12
      zr -= (fr * pr + fi * pi) / divisor
      zi -= (fi * pr - fr * pi) / divisor
    }
    const angle = (Math.atan2(zi, zr) / (2 * Math.PI) + 1) * degree
    out.set(roots[Math.round(angle) % degree]!)
    shade(out, clamp(1.12 - steps * 0.045))
    light(out, [255, 255, 255], 0.06 * clamp(glow / 3))
    mix(out, [12, 10, 30], clamp((steps - 6) / 26))
  }
}
