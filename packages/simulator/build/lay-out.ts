import elk, { type ElkExtendedEdge, type ElkNode, type LayoutOptions } from 'elkjs/lib/elk.bundled.js'
import { labelText } from '../src/charts/label.ts'
import type { ChartAlign, ChartEdge, ChartLabel, ChartLayout, ChartNode, ChartNodeKind } from '../src/charts/layout.ts'
import { type DefinedTransition, type Definition, hashOf } from './chart-definitions.ts'
import type { Drawing } from './chart-drawing.ts'
import { straightened } from './straighten.ts'
import { textWidth } from './text-width.ts'

/** In CSS pixels. */
const STATE_HEIGHT = 38
const STATE_PADDING = 18
const DOT = 12
const MARGIN = 16
const LINE_HEIGHT = 17

const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.json.edgeCoords': 'ROOT',
  'elk.json.shapeCoords': 'ROOT',
  'elk.padding': `[top=${MARGIN},left=${MARGIN},bottom=${MARGIN},right=${MARGIN}]`,
  'elk.spacing.nodeNode': '36',
  'elk.spacing.edgeNode': '20',
  'elk.spacing.edgeEdge': '16',
  'elk.spacing.edgeLabel': '5',
  'elk.layered.spacing.nodeNodeBetweenLayers': '26',
  'elk.layered.spacing.edgeNodeBetweenLayers': '14',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '12',
  'elk.direction': 'DOWN',
  'elk.layered.nodePlacement.favorStraightEdges': 'true',
  'elk.layered.thoroughness': '200',
}

function optionsOf(prefers: Drawing['prefers']): LayoutOptions {
  const strategy = prefers === 'alignment' ? 'BRANDES_KOEPF' : 'NETWORK_SIMPLEX'
  return { ...OPTIONS, 'elk.layered.nodePlacement.strategy': strategy }
}

/** What is drawn as one line, before it has a place. */
interface Line {
  from: string
  to: string
  sources: string[]
  labels: ChartLabel[]
}

interface Box {
  id: string
  name: string
  kind: ChartNodeKind
  parent: string | undefined
}

/** Gives every state and every transition its place. The same definition and drawing give the same layout. */
export async function layOut(definition: Definition, { prefers, groups }: Drawing): Promise<ChartLayout> {
  const boxes = boxesOf(definition, groups)
  const lines = linesOf(definition, boxes, groups)
  const graph: ElkNode = {
    id: 'root',
    layoutOptions: optionsOf(prefers),
    children: childrenOf(undefined, boxes, optionsOf(prefers)),
    edges: lines.map((line, index) => elkEdge(line, index, isBackward(line, boxes))),
  }
  const placed = await new elk.default().layout(graph)
  const places = new Map<string, ElkNode>()
  const collect = (node: ElkNode): void => {
    places.set(node.id, node)
    for (const child of node.children ?? []) collect(child)
  }
  collect(placed)
  const nodes = sameHeight(boxes.map((box) => nodeOf(box, places.get(box.id))))
  const edges = lines.map((line, index) => edgeOf(line, placed.edges?.[index], isBackward(line, boxes)))
  return {
    machine: definition.machine,
    hash: hashOf(definition),
    w: round(placed.width),
    h: round(placed.height),
    nodes,
    edges: straightened(edges, nodes),
  }
}

/** In the order of the definition, which is the usual way through it. What is around a box comes before it. */
function boxesOf({ states }: Definition, groups: Drawing['groups']): Box[] {
  const groupOf = new Map(
    Object.entries(groups).flatMap(([group, members]) => members.map((member) => [member, group])),
  )
  const boxes = new Map<string, Box>()
  const add = (box: Box): void => {
    if (box.parent?.startsWith('#') && !boxes.has(box.parent))
      add({ id: box.parent, name: '', kind: 'group', parent: groupOf.get(box.parent) })
    boxes.set(box.id, box)
  }
  for (const { id, parent, kind, isInitial } of states) {
    const around = groupOf.get(id) ?? parent
    if (isInitial) add({ id: `${id}@`, name: '', kind: 'initial', parent: around })
    add({ id, name: id.slice(id.lastIndexOf('.') + 1), kind, parent: around })
  }
  return [...boxes.values()]
}

/** Transitions that all members of a group have leave the group; those between the same boxes share a line. */
function linesOf({ transitions }: Definition, boxes: readonly Box[], groups: Drawing['groups']): Line[] {
  let open: (DefinedTransition & { sources: string[] })[] = transitions.map((each) => ({
    ...each,
    sources: [each.from],
  }))
  for (const [group, members] of Object.entries(groups)) {
    const keyOf = ({ to, event, guard }: DefinedTransition) => `${to} ${event} ${guard ?? ''}`
    for (const key of new Set(open.filter(({ from }) => from === members[0]).map(keyOf))) {
      const shared = open.filter((each) => members.includes(each.from) && keyOf(each) === key)
      // A line from a frame to what is inside it would say little.
      if (members.includes(shared[0]!.to)) continue
      if (shared.length < members.length) continue
      const rest = open.filter((each) => !shared.includes(each))
      open = [...rest, { ...shared[0]!, from: group, sources: shared.flatMap(({ sources }) => sources) }]
    }
  }
  const lines = new Map<string, Line>()
  for (const { id, kind } of boxes)
    if (kind === 'initial') lines.set(id, { from: id, to: id.slice(0, -1), sources: [], labels: [] })
  for (const { from, to, event, guard, isDelay, sources } of open) {
    const key = `${from} ${to} ${sources.join(' ')}`
    const line = lines.get(key) ?? { from, to, sources, labels: [] }
    line.labels.push({
      event,
      ...(guard === undefined ? {} : { guard }),
      ...(isDelay === undefined ? {} : { isDelay }),
    })
    lines.set(key, line)
  }
  return [...lines.values()]
}

function childrenOf(parent: string | undefined, boxes: readonly Box[], options: LayoutOptions): ElkNode[] {
  return boxes
    .filter((box) => box.parent === parent)
    .map(({ id, name, kind }) => {
      if (kind === 'initial') return { id, width: DOT, height: DOT }
      const children = childrenOf(id, boxes, options)
      const width = textWidth(name, 14, true) + 2 * STATE_PADDING
      if (children.length === 0) return { id, width: Math.ceil(width), height: STATE_HEIGHT }
      const top = name === '' ? 22 : 44
      return {
        id,
        children,
        layoutOptions: {
          ...options,
          'elk.padding': `[top=${top},left=22,bottom=22,right=22]`,
          'elk.nodeSize.constraints': 'MINIMUM_SIZE',
          'elk.nodeSize.minimum': `(${Math.ceil(width)},${STATE_HEIGHT})`,
        },
      }
    })
}

/**
 * Whether a line leads back to what comes earlier in the definition. ELK is given it the other way round, so that what
 * comes first stands first.
 */
function isBackward({ from, to }: Line, boxes: readonly Box[]): boolean {
  const wayTo = (id: string): string[] => {
    const parent = boxes.find((box) => box.id === id)?.parent
    return [...(parent === undefined ? [] : wayTo(parent)), id]
  }
  const [fromWay, toWay] = [wayTo(from), wayTo(to)]
  const depth = fromWay.findIndex((id, at) => toWay[at] !== id)
  if (depth === -1 || toWay[depth] === undefined) return false
  const placeOf = (id: string | undefined) => boxes.findIndex((box) => box.id === id)
  return placeOf(fromWay[depth]) > placeOf(toWay[depth])
}

function elkEdge({ from, to, labels }: Line, index: number, isBackward: boolean): ElkExtendedEdge {
  const texts = labels.map(labelText)
  const width = Math.ceil(Math.max(0, ...texts.map((text) => textWidth(text, 12, false))) + 6)
  const ends = isBackward ? { sources: [to], targets: [from] } : { sources: [from], targets: [to] }
  const edge: ElkExtendedEdge = { id: `edge ${index}`, ...ends }
  if (texts.length > 0)
    edge.labels = [{ id: `label ${index}`, text: texts[0]!, width, height: texts.length * LINE_HEIGHT }]
  return edge
}

function nodeOf({ id, name, kind, parent }: Box, place: ElkNode | undefined): ChartNode {
  if (place === undefined) throw new Error(`${id} has no place`)
  return {
    id,
    name,
    kind,
    ...(parent === undefined ? {} : { parent }),
    x: round(place.x),
    y: round(place.y),
    w: round(place.width),
    h: round(place.height),
  }
}

/** Regions of one state stand in a row. */
function sameHeight(nodes: readonly ChartNode[]): ChartNode[] {
  return nodes.map((node) => {
    if (node.kind !== 'region') return node
    const row = nodes.filter(({ kind, parent }) => kind === 'region' && parent === node.parent)
    const y = Math.min(...row.map((each) => each.y))
    return { ...node, y, h: Math.max(...row.map((each) => each.y + each.h)) - y }
  })
}

function edgeOf(line: Line, placed: ElkExtendedEdge | undefined, isBackward: boolean): ChartEdge {
  const section = placed?.sections?.[0]
  if (section === undefined) throw new Error(`the line from ${line.from} to ${line.to} has no place`)
  const { startPoint, bendPoints = [], endPoint } = section
  const points = [startPoint, ...bendPoints, endPoint].map(({ x, y }): [number, number] => [round(x), round(y)])
  if (isBackward) points.reverse()
  const label = placed?.labels?.[0]
  if (label === undefined) return { ...line, points }
  const at = { x: round(label.x), y: round(label.y), w: round(label.width), h: round(label.height) }
  return { ...line, points, at: { ...at, align: alignOf(at, points) } }
}

/** A label begins or ends at the upright part of the line beside it. */
function alignOf(
  { x, y, w, h }: { x: number; y: number; w: number; h: number },
  points: ChartEdge['points'],
): ChartAlign {
  for (const [at, [endX, endY]] of points.slice(1).entries()) {
    const [startX, startY] = points[at]!
    const isBeside = startX === endX && Math.min(startY, endY) < y + h && Math.max(startY, endY) > y
    if (!isBeside) continue
    if (endX <= x && x - endX < 12) return 'start'
    if (endX >= x + w && endX - x - w < 12) return 'end'
  }
  return 'middle'
}

function round(length: number | undefined): number {
  return Math.round((length ?? 0) * 2) / 2
}
