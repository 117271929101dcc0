/** A repeatable source of numbers in [0, 1): the same seed draws the same picture (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

export interface Noise {
  /** Gradient noise (Perlin, "Improving Noise", 2002) in about -1 – 1. */
  at(x: number, y: number): number
  /** Sum of octaves, each twice as fine and half as strong; about -1 – 1. */
  fractal(x: number, y: number, octaves: number): number
  /** Sharp crests as of mountain ranges; 0 – 1. */
  ridged(x: number, y: number, octaves: number): number
  /** The nearest and second nearest of one random point per unit cell. */
  cells(x: number, y: number): Cell
  /** A number in [0, 1) that belongs to one cell of the grid. */
  hash(column: number, row: number): number
}

/** Distances and the identity of the nearest point; valid until the next call of `cells`. */
export interface Cell {
  nearest: number
  second: number
  column: number
  row: number
}

export function createNoise(seed: number): Noise {
  const random = seeded(seed)
  const order = new Uint8Array(512)
  const slopeX = new Float64Array(256)
  const slopeY = new Float64Array(256)
  for (let i = 0; i < 256; i += 1) {
    order[i] = i
    const angle = random() * 2 * Math.PI
    slopeX[i] = Math.cos(angle) * Math.SQRT2
    slopeY[i] = Math.sin(angle) * Math.SQRT2
  }
  for (let i = 255; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1))
    const kept = order[i]!
    order[i] = order[j]!
    order[j] = kept
  }
  order.copyWithin(256, 0, 256)

  const cell: Cell = { nearest: 0, second: 0, column: 0, row: 0 }

  function corner(column: number, row: number): number {
    return order[order[column & 255]! + (row & 255)]!
  }

  function at(x: number, y: number): number {
    const column = Math.floor(x)
    const row = Math.floor(y)
    const fx = x - column
    const fy = y - row
    const a = corner(column, row)
    const b = corner(column + 1, row)
    const c = corner(column, row + 1)
    const d = corner(column + 1, row + 1)
    const u = fx * fx * fx * (fx * (fx * 6 - 15) + 10)
    const v = fy * fy * fy * (fy * (fy * 6 - 15) + 10)
    const top = slopeX[a]! * fx + slopeY[a]! * fy
    const topRight = slopeX[b]! * (fx - 1) + slopeY[b]! * fy
    const bottom = slopeX[c]! * fx + slopeY[c]! * (fy - 1)
    const bottomRight = slopeX[d]! * (fx - 1) + slopeY[d]! * (fy - 1)
    const upper = top + (topRight - top) * u
    const lower = bottom + (bottomRight - bottom) * u
    return upper + (lower - upper) * v
  }

  function fractal(x: number, y: number, octaves: number): number {
    let sum = 0
    let strength = 0.5
    for (let i = 0; i < octaves; i += 1) {
      sum += at(x, y) * strength
      // An offset and a factor off 2 keep the octaves' grids from lining up.
      x = x * 2.03 + 17.3
      y = y * 2.03 + 9.1
      strength *= 0.5
    }
    return sum * 1.4
  }

  function ridged(x: number, y: number, octaves: number): number {
    let sum = 0
    let strength = 0.5
    let weight = 1
    for (let i = 0; i < octaves; i += 1) {
      const crest = 1 - Math.abs(at(x, y))
      const value = crest * crest * weight
      sum += value * strength
      weight = value
      x = x * 2.03 + 31.7
      y = y * 2.03 + 5.3
      strength *= 0.5
    }
    return sum
  }

  function hash(column: number, row: number): number {
    let h = Math.imul(column, 0x27d4eb2d) ^ Math.imul(row, 0x165667b1) ^ Math.imul(seed, 0x9e3779b1)
    h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
    h = Math.imul(h ^ (h >>> 12), 0x297a2d39)
    return ((h ^ (h >>> 15)) >>> 0) / 2 ** 32
  }

  function cells(x: number, y: number): Cell {
    const column = Math.floor(x)
    const row = Math.floor(y)
    cell.nearest = 9
    cell.second = 9
    for (let j = -1; j <= 1; j += 1) {
      for (let i = -1; i <= 1; i += 1) {
        const px = column + i + hash(column + i, row + j)
        const py = row + j + hash(column + i + 7919, row + j)
        const distance = Math.hypot(px - x, py - y)
        if (distance < cell.nearest) {
          cell.second = cell.nearest
          cell.nearest = distance
          cell.column = column + i
          cell.row = row + j
        } else if (distance < cell.second) {
          cell.second = distance
        }
      }
    }
    return cell
  }

  return { at, fractal, ridged, cells, hash }
}
