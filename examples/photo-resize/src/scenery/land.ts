import { createNoise, type Noise } from './noise.ts'
import { clamp, light, mix, type Ramp, type Rgb, ramp, rgb, type Scene, shade, smooth } from './raster.ts'

interface Sun {
  x: number
  y: number
  radius: number
  colour: Rgb
  glow: number
}

function paintSky(sky: Ramp, horizon: number, sun: Sun | null, x: number, y: number, out: Float64Array): void {
  sky.paint(y / horizon, out)
  if (sun === null) {
    return
  }
  const distance = Math.hypot(x - sun.x, y - sun.y)
  light(out, sun.colour, sun.glow * Math.exp(-distance * 4.5))
  light(out, sun.colour, sun.glow * 0.7 * Math.exp(-distance * 16))
  mix(out, [255, 252, 240], 1 - smooth(sun.radius * 0.94, sun.radius * 1.04, distance))
}

/** Thin streaks of cloud, lit by `colour`. */
function paintClouds(noise: Noise, x: number, y: number, colour: Rgb, amount: number, out: Float64Array): void {
  const warp = noise.fractal(x * 1.3 + 3, y * 3 + 5, 3)
  const cloud = noise.fractal(x * 1.6 + warp * 0.6, y * 6.5 + warp * 0.9, 5)
  mix(out, colour, smooth(0.02, 0.62, cloud) * amount)
}

/** Ridge behind ridge, each one paler with distance, as on a hazy morning. */
export function mountains(
  seed: number,
  look: { sky: Ramp; far: Rgb; near: Rgb; haze: Rgb; sun: Sun | null; cloud: Rgb; layers: number; rough: number },
): Scene {
  const noise = createNoise(seed)
  return (x, y, out) => {
    paintSky(look.sky, 0.75, look.sun, x, y, out)
    paintClouds(noise, x, y, look.cloud, 0.45 * (1 - smooth(0.1, 0.6, y)), out)
    for (let layer = look.layers - 1; layer >= 0; layer -= 1) {
      const depth = layer / (look.layers - 1)
      const scale = 1.1 + depth * 1.7
      const base = 0.93 - depth * 0.45
      const height = (0.13 + depth * 0.16) * look.rough
      const crest =
        base -
        height * (noise.ridged(x * scale + layer * 31.7, layer * 7.7, 7) - 0.35) -
        0.004 * noise.fractal(x * 60, layer * 3, 2)
      if (y > crest) {
        const colour = depth ** 0.8
        out[0] = look.near[0] + (look.far[0] - look.near[0]) * colour
        out[1] = look.near[1] + (look.far[1] - look.near[1]) * colour
        out[2] = look.near[2] + (look.far[2] - look.near[2]) * colour
        const below = y - crest
        const slope = noise.fractal(x * scale * 5 + below * 4, below * 9 + layer, 4)
        shade(out, 1 + slope * 0.16 * (1 - depth * 0.6))
        mix(out, look.haze, smooth(0, 0.3, below) * (0.25 + depth * 0.55))
      }
    }
  }
}

/** Dunes with wind ripples, lit from one side. */
export function dunes(seed: number): Scene {
  const noise = createNoise(seed)
  const sky = ramp(rgb('#2d4a7c'), rgb('#7c7fa8'), rgb('#e9a77c'), rgb('#ffd9a0'))
  const sand = ramp(rgb('#3a1c1a'), rgb('#8c4526'), rgb('#d98a4a'), rgb('#ffcf8f'))
  const sun: Sun = { x: 1.02, y: 0.33, radius: 0.035, colour: [255, 190, 110], glow: 0.55 }
  const height = (x: number, layer: number) =>
    0.1 * Math.sin(x * (1.9 - layer * 0.22) + layer * 2.4) + 0.075 * noise.fractal(x * 0.9 + layer * 11, layer * 3.1, 2)
  return (x, y, out) => {
    paintSky(sky, 0.48, sun, x, y, out)
    for (let layer = 4; layer >= 0; layer -= 1) {
      const crest = 0.82 - layer * 0.095 + height(x, layer) * (1 - layer * 0.14)
      if (y <= crest) {
        continue
      }
      const below = y - crest
      const lee = noise.fractal(x * 1.4 + below * 3.2 + layer * 5, below * 2.4 + layer, 3)
      const facing = smooth(-0.25, 0.3, lee + 0.12 - below * 0.7)
      const ripple = Math.sin((below * 210 + noise.fractal(x * 5, y * 8 + layer, 3) * 9) * (1 + layer * 0.5))
      const grain = ripple * 0.045 * clamp(1 - layer * 0.22) * smooth(0.01, 0.1, below)
      sand.paint(0.18 + facing * 0.66 + grain - layer * 0.02, out)
      mix(out, [236, 178, 132], layer * 0.14)
      light(out, [255, 214, 160], 0.16 * Math.exp(-below * 90))
    }
  }
}

/** Sun over the sea: waves that shrink towards the horizon, and the glitter path below the sun. */
export function sea(seed: number, look: { sky: Ramp; water: Ramp; sun: Sun; cloud: Rgb; horizon: number }): Scene {
  const noise = createNoise(seed)
  return (x, y, out) => {
    if (y < look.horizon) {
      paintSky(look.sky, look.horizon, look.sun, x, y, out)
      paintClouds(noise, x, y * 1.1, look.cloud, 0.75 * smooth(0.0, 0.25, look.horizon - y), out)
      return
    }
    const below = (y - look.horizon) / (1 - look.horizon)
    const distance = 1 / (below + 0.028)
    const wave =
      noise.fractal((x - look.sun.x) * distance * 1.5 + 40, distance * 5.5, 4) +
      0.5 * noise.at((x - look.sun.x) * distance * 5 + 9, distance * 14)
    look.water.paint(below * 0.85 + wave * 0.22 * (0.3 + below), out)
    const path = Math.exp(-(((x - look.sun.x) / (0.06 + below * 0.26)) ** 2))
    light(out, look.sun.colour, path * smooth(-0.05, 0.55, wave + 0.18) * (0.95 - below * 0.45))
    light(out, look.sun.colour, 0.25 * Math.exp(-below * 26) * Math.exp(-Math.abs(x - look.sun.x) * 1.6))
  }
}

/** A still lake that mirrors the scene above it. */
export function mirrored(above: Scene, seed: number, shore: number, tint: Rgb): Scene {
  const noise = createNoise(seed)
  return (x, y, out) => {
    if (y <= shore) {
      above(x, y / shore, out)
      return
    }
    const below = (y - shore) / (1 - shore)
    const ripple = noise.fractal(x * 3.2, (1 / (below + 0.09)) * 9, 3) * 0.05 * (0.25 + below)
    above(x + ripple * 0.5, clamp(1 - below * 0.92 + ripple), out)
    mix(out, tint, 0.24 + below * 0.3)
    light(out, [255, 255, 255], 0.22 * Math.exp(-below * 130))
  }
}

/** Conifers in fog, row behind row. */
export function forest(seed: number, look: { sky: Ramp; near: Rgb; fog: Rgb }): Scene {
  const noise = createNoise(seed)
  const rows = 6
  return (x, y, out) => {
    look.sky.paint(y + 0.06 * noise.fractal(x * 1.2, y * 2, 3), out)
    for (let row = rows - 1; row >= 0; row -= 1) {
      const depth = row / (rows - 1)
      const ground = 1.06 - depth * 0.42 - 0.07 * noise.fractal(x * 1.5 + row * 13, row * 5.1, 3)
      const spacing = 0.14 - depth * 0.095
      let covered = y > ground
      const column = Math.floor(x / spacing)
      for (let near = -2; near <= 2 && !covered; near += 1) {
        const tree = column + near
        const middle = (tree + 0.5 + (noise.hash(tree, row) - 0.5) * 0.9) * spacing
        const tall = spacing * (3 + 2.2 * noise.hash(tree, row + 50))
        const foot = ground + 0.02
        const up = (foot - y) / tall
        if (up > 0 && up < 1) {
          const tier = (up * (9 + Math.floor(noise.hash(tree, row + 90) * 4))) % 1
          const jag = 0.75 + 0.35 * noise.at(x * 90 + tree, y * 110)
          const reach = spacing * 0.72 * (1 - up) ** 0.85 * (1.15 - 0.6 * tier) * jag
          covered = Math.abs(x - middle) < reach + spacing * 0.025
        }
      }
      if (covered) {
        out[0] = look.near[0]
        out[1] = look.near[1]
        out[2] = look.near[2]
        mix(out, look.fog, depth ** 0.7 * 0.86)
        const mist = smooth(-0.32, 0.1, y - ground) * (0.35 + 0.35 * noise.fractal(x * 2 + row, y * 5, 3))
        mix(out, look.fog, clamp(mist) * 0.7)
      }
    }
  }
}

/** Layers of rock in a canyon wall under a blue sky. */
export function canyon(seed: number): Scene {
  const noise = createNoise(seed)
  const rock = ramp(
    rgb('#5b2a22'),
    rgb('#a5502f'),
    rgb('#d9854f'),
    rgb('#8d4030'),
    rgb('#e8b384'),
    rgb('#b8623c'),
    rgb('#f0cfa2'),
    rgb('#93452f'),
  )
  const sky = ramp(rgb('#2f6fb4'), rgb('#8fbfe6'), rgb('#e4eff5'))
  return (x, y, out) => {
    sky.paint(y / 0.6, out)
    paintClouds(noise, x, y, [255, 255, 255], 0.5, out)
    for (let wall = 3; wall >= 0; wall -= 1) {
      const mesa = noise.fractal(x * (0.9 + wall * 0.5) + wall * 19, wall * 4.2, 5)
      const step = smooth(-0.08, 0.05, mesa) * 0.17 + smooth(0.12, 0.2, mesa) * 0.07
      const top = 0.66 - wall * 0.11 - step + 0.012 * noise.fractal(x * 22, wall, 3) + (wall === 0 ? 0.14 : 0)
      if (y <= top) {
        continue
      }
      const warp = noise.fractal(x * 1.4 + wall * 7, y * 2.2, 4)
      const bands = (y * (2.1 + wall * 0.35) + warp * 0.16 + wall * 0.37) % 1
      rock.paint(bands < 0 ? bands + 1 : bands, out)
      const cracks = noise.ridged(x * 9 + wall * 3 + warp, y * 1.6, 4)
      const facing = noise.fractal(x * 4 + wall * 9, y * 1.1, 4)
      shade(out, 0.74 + facing * 0.5 + smooth(0.45, 0.85, cracks) * 0.12)
      mix(out, [196, 208, 226], wall * 0.17)
      light(out, [255, 226, 180], 0.2 * Math.exp(-(y - top) * 140))
    }
  }
}

/** Rolling meadows with rows of flowers towards the horizon. */
export function meadow(seed: number, look: { sky: Ramp; grass: Ramp; flower: Rgb; cloud: Rgb }): Scene {
  const noise = createNoise(seed)
  return (x, y, out) => {
    look.sky.paint(y / 0.5, out)
    const puff = noise.fractal(x * 1.8 + 4, y * 3.4, 6) + 0.12
    mix(out, look.cloud, smooth(0.02, 0.5, puff) * smooth(0, 0.2, 0.55 - y) * 0.92)
    for (let layer = 4; layer >= 0; layer -= 1) {
      const crest = 0.8 - layer * 0.092 - 0.1 * noise.fractal(x * (0.7 + layer * 0.3) + layer * 17, layer * 2.7, 3)
      if (y <= crest) {
        continue
      }
      const below = y - crest
      const sun = noise.fractal(x * 1.7 + layer * 3, below * 6 + layer, 4)
      const turf = noise.at(x * 160, y * 90) * 0.06
      look.grass.paint(0.62 - below * 1.1 + sun * 0.34 + turf, out)
      const furrow = Math.sin((x + below * 0.9 + layer) * (34 + layer * 16) + sun * 3)
      mix(out, look.flower, smooth(0.1, 0.9, furrow) * smooth(0.02, 0.1, below) * (layer < 3 ? 0.62 : 0.3))
      mix(out, [190, 212, 226], layer * 0.11)
    }
  }
}
