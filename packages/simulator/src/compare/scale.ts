/** Round numbers from 0 that reach at least `max`, about `count` of them. */
export function ticksOf(max: number, count = 4): number[] {
  const top = max > 0 && Number.isFinite(max) ? max : 1
  const raw = top / count
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = power * ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= raw) ?? 10)
  return Array.from({ length: Math.ceil(top / step - 1e-9) + 1 }, (_, at) => Number((at * step).toPrecision(12)))
}

/** Round instants between two others, in ms. */
export function instantTicks(fromMs: number, untilMs: number, count: number): number[] {
  const steps = [100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000]
  const stepMs = steps.find((ms) => (untilMs - fromMs) / ms <= count) ?? 3_600_000
  const first = Math.ceil(fromMs / stepMs) * stepMs
  return Array.from({ length: Math.max(0, Math.floor((untilMs - first) / stepMs) + 1) }, (_, at) => first + at * stepMs)
}

export type Point = readonly [x: number, y: number]

/** A gap in a line is a point whose y is NaN. */
export function pathOf(points: readonly Point[]): string {
  let path = ''
  let isDown = false
  for (const [x, y] of points) {
    if (Number.isNaN(y)) isDown = false
    else {
      path += `${isDown ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`
      isDown = true
    }
  }
  return path
}

/** The area between two lines over the same x, in pieces: where the first one is higher, and where it is lower. */
export function areasBetween(
  first: readonly Point[],
  second: readonly Point[],
): { isFirstHigher: boolean; points: readonly Point[] }[] {
  const areas: { isFirstHigher: boolean; points: readonly Point[] }[] = []
  for (let at = 0; at + 1 < Math.min(first.length, second.length); at += 1) {
    const [a, b] = [first[at] as Point, first[at + 1] as Point]
    const [c, d] = [second[at] as Point, second[at + 1] as Point]
    const [before, after] = [a[1] - c[1], b[1] - d[1]]
    if (Number.isNaN(before) || Number.isNaN(after) || (before === 0 && after === 0)) continue
    if (before * after >= 0) {
      areas.push({ isFirstHigher: before + after > 0, points: [a, b, d, c] })
      continue
    }
    const share = before / (before - after)
    const cross: Point = [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])]
    areas.push({ isFirstHigher: before > 0, points: [a, cross, c] })
    areas.push({ isFirstHigher: after > 0, points: [cross, b, d] })
  }
  return areas
}

/** A number as a person reads it on an axis or in a table. */
export function valueText(value: number): string {
  if (Number.isNaN(value)) return '–'
  if (Math.abs(value) >= 100 || Number.isInteger(value)) return Math.round(value).toLocaleString('en')
  return String(Number(value.toPrecision(Math.abs(value) >= 10 ? 3 : 2)))
}

/** The mean of each value and those before it, so many in all. */
export function smooth(values: readonly number[], span: number): number[] {
  return values.map((_, at) => {
    const own = values.slice(Math.max(0, at - span + 1), at + 1)
    return own.reduce((sum, value) => sum + value, 0) / own.length
  })
}
