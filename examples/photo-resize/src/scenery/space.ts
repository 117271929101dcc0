import { createNoise, type Noise } from './noise.ts'
import { clamp, light, mix, type Ramp, type Rgb, ramp, rgb, type Scene, shade, smooth } from './raster.ts'

/** Stars of several sizes and temperatures; `density` is the share of cells that hold one. */
function paintStars(noise: Noise, x: number, y: number, density: number, out: Float64Array): void {
  for (let size = 0; size < 3; size += 1) {
    const scale = 150 / (1 + size * 1.9)
    const column = Math.floor(x * scale)
    const row = Math.floor(y * scale)
    const chance = noise.hash(column + size * 991, row)
    if (chance > density * (1 - size * 0.3)) {
      continue
    }
    const px = column + 0.25 + 0.5 * noise.hash(column, row + 17 + size)
    const py = row + 0.25 + 0.5 * noise.hash(column + 23 + size, row)
    const distance = Math.hypot(x * scale - px, y * scale - py)
    const warm = noise.hash(column + 5, row + size)
    const brightness = 0.35 + 0.65 * noise.hash(row + 77, column + size)
    const glow = Math.exp(-distance * distance * (90 - size * 12)) + 0.1 * size * Math.exp(-distance * 9)
    light(out, [215 + warm * 40, 222, 255 - warm * 70], glow * brightness * 1.25)
  }
}

/** Gas clouds lit from within, with dust lanes and stars. */
export function nebula(seed: number, gas: Ramp, glow: Rgb, scale: number, heart: readonly [number, number]): Scene {
  const noise = createNoise(seed)
  return (x, y, out) => {
    const px = x * scale
    const py = y * scale
    const wx = noise.fractal(px, py, 4)
    const wy = noise.fractal(px + 5.2, py + 1.3, 4)
    const cloud = noise.fractal(px + wx * 1.7, py + wy * 1.7, 6)
    const middle = Math.exp(-(((x - heart[0]) / 0.5) ** 2) - ((y - heart[1]) / 0.4) ** 2)
    gas.paint(0.06 + clamp(cloud * 0.6 + 0.42) * (0.3 + 0.85 * middle), out)
    light(out, glow, 0.5 * middle * smooth(0.0, 0.6, cloud + wx * 0.4))
    const dust = noise.ridged(px * 0.9 + wy * 0.9, py * 0.9 + wx * 0.9 + 7, 5)
    shade(out, 1 - 0.62 * smooth(0.45, 0.78, dust) * (1 - middle * 0.35))
    paintStars(noise, x, y, 0.16, out)
  }
}

/** The Milky Way over a dark ridge. */
export function milkyWay(seed: number): Scene {
  const noise = createNoise(seed)
  const sky = ramp(rgb('#050713'), rgb('#0b1230'), rgb('#1b2a52'), rgb('#4a4a6d'), rgb('#b0755a'))
  return (x, y, out) => {
    sky.paint(y * y * 0.9 + 0.02, out)
    const along = x * 0.62 + y * 0.78
    const across = (x - 0.42) * 0.78 - (y - 0.42) * 0.62
    const wisp = noise.fractal(along * 2.6, across * 4.2, 6)
    const band = Math.exp(-(((across + wisp * 0.09) / 0.15) ** 2))
    light(out, [196, 178, 214], band * (0.28 + 0.34 * clamp(wisp + 0.4)))
    light(out, [255, 190, 150], 0.34 * Math.exp(-((across / 0.07) ** 2) - ((along - 0.72) / 0.26) ** 2))
    const lane = noise.ridged(along * 2.2 + 3, across * 6 + wisp * 0.8, 5)
    shade(out, 1 - 0.66 * band * smooth(0.4, 0.75, lane) * Math.exp(-((across / 0.11) ** 2)))
    paintStars(noise, x, y, 0.1 + band * 0.22, out)
    for (let layer = 2; layer >= 0; layer -= 1) {
      const crest = 0.95 - layer * 0.045 - 0.11 * noise.ridged(x * (1.4 + layer) + layer * 13, layer + 0.7, 6)
      if (y > crest) {
        out.set(layer === 0 ? [4, 5, 9] : layer === 1 ? [11, 12, 22] : [24, 23, 38])
        mix(out, [120, 84, 78], 0.16 * layer * smooth(0, 0.14, y - crest))
      }
    }
  }
}

/** Curtains of northern lights above spruces. */
export function aurora(seed: number): Scene {
  const noise = createNoise(seed)
  const sky = ramp(rgb('#030614'), rgb('#071630'), rgb('#0e2c44'), rgb('#16454d'))
  return (x, y, out) => {
    sky.paint(y * 1.1, out)
    paintStars(noise, x, y, 0.11, out)
    for (let curtain = 0; curtain < 3; curtain += 1) {
      const bend = noise.fractal(x * 0.85 + curtain * 9, curtain * 3.3, 3)
      const foot = 0.6 - curtain * 0.12 + bend * 0.24
      const up = foot - y
      const rays = 0.5 + 0.5 * noise.fractal(x * 13 + bend * 5 + curtain * 4, up * 0.5, 3)
      const slow = smooth(-0.4, 0.5, noise.fractal(x * 1.4 + curtain * 21, 1.7, 2))
      const glow = smooth(-0.025, 0.012, up) * Math.exp(-clamp(up) * (5.4 - curtain)) * rays * slow
      light(out, [70, 255, 150], glow * 0.95)
      light(out, [150, 60, 255], glow * smooth(0.05, 0.34, up) * 0.85)
      light(out, [255, 90, 150], glow * smooth(0.03, 0, Math.abs(up)) * 0.3)
    }
    const ground = 0.9 + 0.03 * noise.fractal(x * 2, 4, 3)
    const spacing = 0.034
    const column = Math.floor(x / spacing)
    let covered = y > ground
    for (let near = -1; near <= 1 && !covered; near += 1) {
      const tree = column + near
      const middle = (tree + 0.5 + (noise.hash(tree, 1) - 0.5) * 0.8) * spacing
      const up = (ground + 0.01 - y) / (0.07 + 0.12 * noise.hash(tree, 2) ** 2)
      if (up > 0 && up < 1) {
        covered = Math.abs(x - middle) < 0.014 * (1 - up) * (1.2 - 0.6 * ((up * 9) % 1))
      }
    }
    if (covered) {
      out.set([3, 9, 14])
      light(out, [30, 90, 80], 0.25 * smooth(ground, 1, y))
    }
  }
}

/** A full moon: maria, craters and rays, in front of stars. */
export function moon(seed: number): Scene {
  const noise = createNoise(seed)
  const surface = (u: number, v: number) => {
    let height = noise.fractal(u * 3, v * 3, 6) * 0.35
    for (let size = 0; size < 4; size += 1) {
      const scale = 3.2 * 1.9 ** size
      const crater = noise.cells(u * scale + size * 37, v * scale)
      const radius = 0.16 + 0.22 * noise.hash(crater.column, crater.row + 40)
      const rim = crater.nearest / radius
      if (rim < 1.6) {
        const bowl = rim < 1 ? rim * rim - 0.72 : 0.28 * Math.exp(-(rim - 1) * 5)
        height += (bowl * 0.34) / 1.7 ** size
      }
    }
    return height
  }
  return (x, y, out) => {
    out.set([4, 5, 11])
    paintStars(noise, x, y, 0.07, out)
    const dx = (x - 0.5) / 0.41
    const dy = (y - 0.5) / 0.41
    const r2 = dx * dx + dy * dy
    if (r2 > 1) {
      light(out, [120, 130, 160], 0.4 * Math.exp(-(Math.sqrt(r2) - 1) * 9))
      return
    }
    const z = Math.sqrt(1 - r2)
    const u = dx / (0.55 + 0.45 * z)
    const v = dy / (0.55 + 0.45 * z)
    const mare = smooth(0.02, 0.34, noise.fractal(u * 0.95 + 8, v * 0.95 + 3, 4))
    const height = surface(u, v)
    const relief = (surface(u + 0.006, v + 0.004) - height) * 11
    const sun = clamp(dx * -0.42 + dy * -0.3 + z * 0.95)
    const tone =
      (206 - mare * 84 + noise.fractal(u * 9, v * 9, 4) * 26) * (0.12 + 0.98 * sun) * (1 + relief * (1.1 - mare * 0.5))
    out.set([tone * 1.01, tone * 0.985, tone * 0.94])
    mix(out, [4, 5, 11], smooth(0.985, 1, r2))
  }
}

/** A blue world with weather, and its rings. */
export function planet(seed: number): Scene {
  const noise = createNoise(seed)
  const land = ramp(
    rgb('#0b2d5c'),
    rgb('#155a93'),
    rgb('#2f8fb8'),
    rgb('#c9b683'),
    rgb('#5c8a4c'),
    rgb('#8a6f4b'),
    rgb('#f2f2ee'),
  )
  const dark: Rgb = [3, 4, 10]
  return (x, y, out) => {
    out.set(dark)
    const haze = noise.fractal(x * 1.3, y * 1.3, 5)
    light(out, [60, 40, 110], 0.3 * clamp(haze + 0.2))
    paintStars(noise, x, y, 0.1, out)
    const dx = (x - 0.78) / 0.36
    const dy = (y - 0.52) / 0.36
    const r2 = dx * dx + dy * dy
    const tilted = dy * 0.94 + dx * 0.34
    const ring = Math.hypot(dx * 0.94 - dy * 0.34, tilted / 0.26)
    if (r2 < 1) {
      const z = Math.sqrt(1 - r2)
      const u = Math.atan2(dx, z) * 0.9
      const v = Math.asin(tilted)
      land.paint(0.4 + noise.fractal(u * 1.7 + 4, v * 1.9 + 2, 7) * 0.72, out)
      mix(out, [244, 247, 250], smooth(0.95, 1.2, Math.abs(v) + 0.12 * noise.fractal(u * 4, v * 4, 3)))
      const warp = noise.fractal(u * 1.6, v * 4, 4)
      const cloud = noise.fractal(u * 2.1 + warp * 1.3, v * 4.6 + warp + 30, 6)
      mix(out, [255, 255, 255], 0.88 * smooth(0.06, 0.5, cloud))
      light(out, [90, 160, 255], 0.5 * (1 - z) ** 2.2)
      shade(out, 0.03 + 1.05 * smooth(-0.12, 0.85, dx * -0.66 + dy * -0.36 + z * 0.62))
    } else {
      light(out, [70, 130, 255], 0.55 * Math.exp(-(Math.sqrt(r2) - 1) * 15) * smooth(0.9, -0.7, dx + dy * 0.5))
    }
    if (ring > 1.28 && ring < 2.05 && (r2 > 1 || tilted > 0)) {
      const lanes = 0.5 + 0.5 * noise.fractal(ring * 21, 2, 4)
      const gap = smooth(0.015, 0.04, Math.abs(ring - 1.74))
      const edge = smooth(1.28, 1.36, ring) * smooth(2.05, 1.97, ring)
      mix(out, [222, 202, 170], edge * gap * (0.2 + 0.62 * lanes) * (dx > 0.2 && tilted < 0 && r2 < 1.9 ? 0.4 : 0.85))
    }
  }
}
