/** A bound that a figure has to keep. */
export interface Target {
  comparison: 'at least' | 'at most'
  value: number
}

/** One measured quantity: the median and the range of its repetitions. */
export interface Figure {
  name: string
  /** Such as `tasks/s`, `ms`, `bytes`, `%`. */
  unit: string
  median: number
  min: number
  max: number
  target: Target | null
  /** Whether the median keeps the target; null without one. */
  met: boolean | null
}

export function figure(name: string, unit: string, samples: readonly number[], target: Target | null = null): Figure {
  if (samples.length === 0) throw new Error(`no samples of ${name}`)
  const middle = median(samples)
  return {
    name,
    unit,
    median: middle,
    min: Math.min(...samples),
    max: Math.max(...samples),
    target,
    met: target && (target.comparison === 'at least' ? middle >= target.value : middle <= target.value),
  }
}

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5)
}

/** The nearest-rank quantile; of an even number of samples the median is the mean of the middle two. */
export function quantile(samples: readonly number[], fraction: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  const half = sorted.length / 2
  if (fraction === 0.5 && Number.isInteger(half)) return (sorted[half - 1]! + sorted[half]!) / 2
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))]!
}

export function atLeast(value: number): Target {
  return { comparison: 'at least', value }
}

export function atMost(value: number): Target {
  return { comparison: 'at most', value }
}
