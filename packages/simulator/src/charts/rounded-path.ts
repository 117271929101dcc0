type Point = readonly [x: number, y: number]

/** The path through these points, whose corners are rounded. `short`: it ends this many pixels before the last one. */
export function roundedPath(points: readonly Point[], radius: number, short: number): string {
  const way = [...points]
  const last = way.length - 1
  way[last] = towards(way[last]!, way[last - 1]!, short)
  const [startX, startY] = way[0]!
  let path = `M${startX} ${startY}`
  for (let i = 1; i < last; i += 1) {
    const [before, corner, after] = [way[i - 1]!, way[i]!, way[i + 1]!]
    const room = Math.min(radius, distance(before, corner) / 2, distance(corner, after) / 2)
    const [inX, inY] = towards(corner, before, room)
    const [outX, outY] = towards(corner, after, room)
    path += `L${inX} ${inY}Q${corner[0]} ${corner[1]} ${outX} ${outY}`
  }
  return `${path}L${way[last]![0]} ${way[last]![1]}`
}

/** A triangle that points to the last of these points. */
export function arrowHead(points: readonly Point[], length: number, width: number): string {
  const tip = points.at(-1)!
  const [baseX, baseY] = towards(tip, points.at(-2)!, length)
  const [dx, dy] = [((tip[0] - baseX) / length) * (width / 2), ((tip[1] - baseY) / length) * (width / 2)]
  return `M${tip[0]} ${tip[1]}L${baseX - dy} ${baseY + dx}L${baseX + dy} ${baseY - dx}Z`
}

function distance([x, y]: Point, [otherX, otherY]: Point): number {
  return Math.hypot(otherX - x, otherY - y)
}

function towards(from: Point, to: Point, by: number): Point {
  const whole = distance(from, to)
  if (whole === 0) return from
  const share = Math.min(1, by / whole)
  return [from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share]
}
