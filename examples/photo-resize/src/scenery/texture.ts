import { createNoise, seeded } from './noise.ts'
import { clamp, light, mix, type Ramp, type Rgb, rgb, type Scene, shade, smooth } from './raster.ts'

/** Polished stone with veins. */
export function marble(seed: number, stone: Ramp, vein: Rgb, scale: number): Scene {
  const noise = createNoise(seed)
  return (x, y, out) => {
    const px = x * scale
    const py = y * scale
    const wx = noise.fractal(px, py, 5)
    const wy = noise.fractal(px + 5.2, py + 1.3, 5)
    const cloud = noise.fractal(px + wx * 1.8, py + wy * 1.8, 5)
    stone.paint(0.5 + cloud * 0.7, out)
    const line = Math.abs(noise.fractal(px * 0.8 + wx * 1.4 + 9, py * 0.8 + wy * 1.1, 5))
    mix(out, vein, 0.75 * (1 - smooth(0, 0.05, line)) * smooth(-0.3, 0.4, cloud))
    const fine = Math.abs(noise.fractal(px * 2 + wy, py * 2 + wx + 20, 4))
    mix(out, vein, 0.35 * (1 - smooth(0, 0.03, fine)))
  }
}

/** A sawn board: growth rings cut lengthwise, fibres and pores. */
export function wood(seed: number, grain: Ramp): Scene {
  const noise = createNoise(seed)
  return (x, y, out) => {
    const board = Math.floor(y * 4 + 0.00001)
    const inBoard = y * 4 - board
    const shift = noise.hash(board, 3) * 40
    const sway = noise.fractal(x * 0.8 + shift, y * 1.6 + shift, 3)
    const radius = Math.hypot((inBoard - 0.5 + sway * 0.5) * 1.5, (x + shift * 0.1) * 0.12 + sway * 0.3)
    const ring = (radius * 13 + noise.fractal(x * 3 + shift, y * 30, 2) * 0.3) % 1
    const late = ring < 0.82 ? ring / 0.82 : (1 - ring) / 0.18
    grain.paint(0.24 + late * late * 0.46 + (noise.hash(board, 8) - 0.5) * 0.22, out)
    const fibre = noise.fractal(x * 6 + shift, y * 240, 3)
    shade(out, 1 + fibre * 0.12)
    const edge = Math.min(inBoard, 1 - inBoard)
    shade(out, 0.45 + 0.55 * smooth(0.002, 0.014, edge))
    light(out, [255, 240, 210], 0.05 * smooth(0.03, 0, Math.abs(edge - 0.02)))
  }
}

/** A polished slice of agate: bands around a crystal heart. */
export function agate(seed: number, bands: Ramp, middle: readonly [number, number]): Scene {
  const noise = createNoise(seed)
  return (x, y, out) => {
    const dx = x - middle[0]
    const dy = y - middle[1]
    const angle = Math.atan2(dy, dx)
    const wobble = noise.fractal(Math.cos(angle) * 1.1 + 4, Math.sin(angle) * 1.1 + 4, 4)
    const warp = noise.fractal(x * 2.4, y * 2.4, 4)
    const distance = Math.hypot(dx, dy * 1.12) * (1 + wobble * 0.55) + warp * 0.05
    const band = distance * 3.1 + 0.05 * Math.sin(distance * 90) + 0.03 * noise.at(distance * 60, 3)
    const phase = band % 2
    bands.paint(phase < 1 ? phase : 2 - phase, out)
    const fine = noise.fractal(distance * 42, wobble * 0.6, 3)
    shade(out, 1 + fine * 0.3)
    const crystal = noise.cells(x * 26, y * 26)
    mix(out, [240, 244, 255], (1 - smooth(0.1, 0.15, distance)) * (0.35 + 0.5 * smooth(0, 0.5, crystal.nearest)))
    mix(out, [58, 44, 40], smooth(0.66, 0.74, distance))
  }
}

/** Folded silk: noise bent by noise, lit from the upper left. */
export function silk(seed: number, cloth: Ramp, scale: number): Scene {
  const noise = createNoise(seed)
  const fold = (px: number, py: number) => {
    const wx = noise.fractal(px, py, 2)
    const wy = noise.fractal(px + 5.2, py + 1.3, 2)
    return noise.fractal(px + wx * 2.3, py * 0.7 + wy * 2.3, 2)
  }
  const step = 0.004
  return (x, y, out) => {
    const px = x * scale
    const py = y * scale
    const height = fold(px, py)
    const slopeX = (fold(px + step, py) - height) / step
    const slopeY = (fold(px, py + step) - height) / step
    const lit = (-slopeX * 0.6 - slopeY * 0.7 + 0.9) / Math.sqrt(1 + slopeX * slopeX + slopeY * slopeY)
    cloth.paint(0.34 + height * 0.35 + lit * 0.26, out)
    light(out, [255, 255, 255], 0.4 * clamp(lit) ** 14)
  }
}

/** Sunlight on the floor of a shallow pool. */
export function caustics(seed: number, water: Ramp): Scene {
  const noise = createNoise(seed)
  return (x, y, out) => {
    const wx = noise.fractal(x * 3, y * 3, 3) * 0.35
    const wy = noise.fractal(x * 3 + 8, y * 3 + 2, 3) * 0.35
    const a = noise.cells(x * 6 + wx * 2, y * 6 + wy * 2)
    const first = a.second - a.nearest
    const b = noise.cells(x * 9.3 + wy * 3 + 40, y * 9.3 + wx * 3)
    const second = b.second - b.nearest
    water.paint(0.3 + 0.45 * y + wx * 0.7, out)
    const shine = Math.exp(-first * 9) * 0.75 + Math.exp(-second * 11) * 0.5
    light(out, [190, 255, 240], shine * shine * 0.62)
  }
}

/** Rounded pebbles, each with its own stone and speckles. */
export function pebbles(seed: number, stones: readonly Rgb[]): Scene {
  const noise = createNoise(seed)
  return (x, y, out) => {
    const wx = noise.fractal(x * 5, y * 5, 2) * 0.22
    const wy = noise.fractal(x * 5 + 3, y * 5 + 7, 2) * 0.22
    const px = x * 7 + wx
    const py = y * 7 + wy
    const cell = noise.cells(px, py)
    const edge = cell.second - cell.nearest
    const { column, row, nearest } = cell
    out.set(stones[Math.floor(noise.hash(column + 31, row) * stones.length)]!)
    const centreX = column + noise.hash(column, row)
    const centreY = row + noise.hash(column + 7919, row)
    const tilt = ((centreX - px) * 0.55 + (centreY - py) * 0.8) * 0.62
    const mottled = noise.fractal(x * 40 + column * 3, y * 40 + row * 5, 4)
    const band = Math.sin((px * noise.hash(column, row + 9) + py) * 18 + mottled * 2) * noise.hash(row, column)
    shade(out, 0.72 + tilt + mottled * 0.16 + band * 0.07)
    shade(out, smooth(0.0, 0.26, edge) * 0.92 + 0.06)
    light(
      out,
      [255, 255, 250],
      0.22 * smooth(0.34, 0.1, Math.hypot(centreX - px - 0.16, centreY - py - 0.2)) * (1 - nearest),
    )
  }
}

/** A leaded window: coloured glass between dark seams, the sun somewhere behind it. */
export function stainedGlass(seed: number, glass: readonly Rgb[], cellsHigh: number): Scene {
  const noise = createNoise(seed)
  return (x, y, out) => {
    const cell = noise.cells(x * cellsHigh, y * cellsHigh)
    const edge = cell.second - cell.nearest
    const pick = noise.hash(cell.column + 11, cell.row + 5)
    const field = noise.fractal(cell.column * 0.16, cell.row * 0.16, 2) * 0.9 + 0.5
    out.set(glass[Math.floor(clamp(field * 0.75 + pick * 0.25) * (glass.length - 0.001))]!)
    const sun = Math.exp(-Math.hypot(x - 0.9, y - 0.36) * 1.7)
    shade(out, 0.62 + 0.75 * sun)
    light(out, [255, 240, 200], 0.22 * sun)
    mix(out, [18, 16, 20], 1 - smooth(0.035, 0.075, edge))
  }
}

/** City lights out of focus: soft discs over a dusk gradient. */
export function bokeh(seed: number, aspect: number, dusk: Ramp, lamps: readonly Rgb[]): Scene {
  const random = seeded(seed)
  const noise = createNoise(seed)
  const discs = Array.from({ length: 130 }, () => {
    const near = random()
    return {
      x: random() * aspect,
      y: 0.5 + (random() + random() + random() - 1.5) * 0.42,
      radius: 0.014 + near * near * 0.085,
      colour: lamps[Math.floor(random() * lamps.length)]!,
      strength: 0.2 + random() * 0.5,
    }
  })
  return (x, y, out) => {
    dusk.paint(y + noise.fractal(x * 0.8, y * 1.4, 3) * 0.16, out)
    for (const disc of discs) {
      const dx = x - disc.x
      const dy = y - disc.y
      if (Math.abs(dx) > disc.radius * 1.1 || Math.abs(dy) > disc.radius * 1.1) {
        continue
      }
      const distance = Math.hypot(dx, dy) / disc.radius
      const inside = 1 - smooth(0.94, 1.04, distance)
      light(out, disc.colour, inside * disc.strength * (0.55 + 0.45 * distance * distance))
    }
  }
}

/** A map of an archipelago with contour lines, shaded relief and depth tints. */
export function islands(seed: number): Scene {
  const noise = createNoise(seed)
  const height = (x: number, y: number) => noise.fractal(x * 1.7 + 2, y * 1.7 + 6, 7) + 0.06
  return (x, y, out) => {
    const h = height(x, y)
    const slope = (h - height(x - 0.0035, y - 0.0035)) * 22
    const tint =
      h < -0.22
        ? '#2f6f9f'
        : h < -0.08
          ? '#4a90bd'
          : h < 0
            ? '#82bcd6'
            : h < 0.03
              ? '#efe2b4'
              : h < 0.16
                ? '#9cc07c'
                : h < 0.3
                  ? '#6f9f63'
                  : h < 0.44
                    ? '#b59a6b'
                    : '#f4f1ea'
    out.set(rgb(tint))
    if (h > 0) {
      shade(out, clamp(0.86 + slope * 0.9) * 1.12)
      const contour = Math.abs(((h * 24) % 1) - 0.5)
      mix(out, [84, 66, 44], 0.38 * smooth(0.4, 0.49, contour))
    }
  }
}
