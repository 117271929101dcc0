import type { ChartEdge, ChartNode } from '../src/charts/layout.ts'

type Point = ChartEdge['points'][number]

/** A step to the side of at most this many pixels, near an end of a line, looks like a mistake. */
const JOG_MAX = 12
/** Lines end at least this far from each other, and from the corner of a box. */
const APART = 8
const CORNER = 10

/** Moves lines, and their ends along their boxes, a little to the side where that makes them straight. */
export function straightened(edges: readonly ChartEdge[], nodes: readonly ChartNode[]): ChartEdge[] {
  const boxes = new Map(nodes.map((node) => [node.id, node]))
  const moved = edges.map((edge) => ({ ...edge, points: [...edge.points] }))
  /** Where other lines end at the same side of the same box. */
  const endsBeside = (own: ChartEdge, [x, y]: Point): number[] =>
    moved
      .filter((edge) => edge !== own)
      .flatMap(({ points }) => [points[0]!, points.at(-1)!])
      .filter((end) => Math.abs(end[1] - y) < 1 && Math.abs(end[0] - x) < 4 * JOG_MAX)
      .map(([endX]) => endX)
  for (const edge of moved) {
    for (const end of ['to', 'from'] as const) {
      if (end === 'to') edge.points.reverse()
      const box = boxes.get(edge[end])
      const [first, corner, next] = edge.points
      if (box !== undefined && first !== undefined && corner !== undefined && next !== undefined) {
        const jog = Math.abs(next[0] - first[0])
        const isJog = first[0] === corner[0] && corner[1] === next[1] && jog <= JOG_MAX && edge.points.length > 3
        const isOnBox = next[0] >= box.x + CORNER && next[0] <= box.x + box.w - CORNER
        const isFree = endsBeside(edge, first).every((x) => Math.abs(x - next[0]) >= APART)
        if (isJog && isOnBox && isFree) edge.points.splice(0, 3, [next[0], first[1]])
      }
      if (end === 'to') edge.points.reverse()
    }
  }
  for (const edge of moved) straightenWithin(edge, moved)
  return moved
}

/** An upright part that goes on a little to the side becomes one with what it goes on in, if nothing else is there. */
function straightenWithin(own: ChartEdge & { points: Point[] }, all: readonly ChartEdge[]): void {
  const { points } = own
  for (let at = 1; at + 4 < points.length; at += 1) {
    const [above, from, to, below] = points.slice(at, at + 4) as [Point, Point, Point, Point]
    const isUpright = above[0] === from[0] && to[0] === below[0] && from[1] === to[1]
    if (!isUpright || Math.abs(from[0] - to[0]) > JOG_MAX) continue
    const isFree = all.every((other) => other === own || !hasUpright(other.points, to[0], above[1], from[1]))
    if (!isFree) continue
    points.splice(at, 3, [to[0], above[1]])
    at -= 1
  }
}

/** Whether a line goes up or down near this place, between these heights. */
function hasUpright(points: readonly Point[], x: number, y: number, otherY: number): boolean {
  return points.slice(1).some(([endX, endY], place) => {
    const [startX, startY] = points[place]!
    if (Math.abs(endX - x) >= APART || Math.abs(startX - x) >= APART) return false
    return Math.max(startY, endY) > Math.min(y, otherY) && Math.min(startY, endY) < Math.max(y, otherY)
  })
}
