import { power } from './portable.ts'
import type { RandomStream } from './random.ts'

/** How a quantity (a time in ms, a size in bytes) varies. Draws are never negative. */
export type Distribution =
  | { kind: 'constant'; value: number }
  | { kind: 'uniform'; min: number; max: number }
  | { kind: 'exponential'; mean: number }
  /** Heavy tail: `min / u^(1/shape)`, cut at `max`. */
  | { kind: 'pareto'; min: number; shape: number; max: number }
  /** `slow` with probability `share`, else `fast`. */
  | { kind: 'bimodal'; fast: number; slow: number; share: number }

export function draw(distribution: Distribution, random: RandomStream): number {
  switch (distribution.kind) {
    case 'constant':
      return distribution.value
    case 'uniform':
      return distribution.min + random.next() * (distribution.max - distribution.min)
    case 'exponential':
      return random.exponential(distribution.mean)
    case 'pareto':
      return Math.min(distribution.max, distribution.min / power(1 - random.next(), 1 / distribution.shape))
    case 'bimodal':
      return random.chance(distribution.share) ? distribution.slow : distribution.fast
  }
}

/** The mean of the draws; for a heavy tail, the mean without its cut. */
export function meanOf(distribution: Distribution): number {
  switch (distribution.kind) {
    case 'constant':
      return distribution.value
    case 'uniform':
      return (distribution.min + distribution.max) / 2
    case 'exponential':
      return distribution.mean
    case 'pareto':
      return distribution.shape > 1
        ? (distribution.min * distribution.shape) / (distribution.shape - 1)
        : distribution.max
    case 'bimodal':
      return distribution.share * distribution.slow + (1 - distribution.share) * distribution.fast
  }
}
